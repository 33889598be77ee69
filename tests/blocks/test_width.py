from wiesel.blocks.width import multiple_of_8


def test_widths_are_multiples_of_8_and_never_below_90_percent():
    assert [multiple_of_8(width) for width in (1, 2, 8, 16, 24, 1280)] == [8, 8, 8, 16, 24, 1280]
    assert multiple_of_8(17.6) == 16  # the nearest
    assert multiple_of_8(18) == 24  # the nearest, 16, is 89 % of it
    assert multiple_of_8(20) == 24  # as near to 16, but upwards
    for tenths in range(80, 20_000):
        width = tenths / 10
        assert multiple_of_8(width) % 8 == 0
        assert 0.9 * width <= multiple_of_8(width) < width + 8
