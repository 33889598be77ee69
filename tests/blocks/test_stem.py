from wiesel.blocks.stem import is_small


def test_auto_means_small_below_64_pixels_on_either_side():
    assert [is_small("auto", size) for size in ((28, 28), (63, 500), (64, 63), (64, 64), (224, 224))] == [True] * 3 + [False] * 2


def test_a_named_stem_is_taken_at_any_size():
    assert is_small("small", (224, 224))
    assert not is_small("imagenet", (28, 28))
