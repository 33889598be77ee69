import pytest
import torch
import torchvision

from wiesel import zoo
from wiesel.errors import PictureTooSmall
from wiesel.zoo.squeezenet import Fire


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
def test_logits_equal_torchvision_s_with_the_same_weights(name, same_logits):
    theirs = getattr(torchvision.models, name)()
    with torch.no_grad():
        theirs.classifier[1].weight.mul_(100)  # of std 0.01: else the pictures make no difference
    same_logits(name, theirs, 75, 64)


@pytest.mark.parametrize(
    ("name", "side", "stem", "expected"),
    [
        ("squeezenet1_0", 224, "auto", [54, 27, 13, 13]),
        ("squeezenet1_1", 224, "auto", [55, 27, 13, 13]),
        ("squeezenet1_0", 28, "auto", [28, 14, 7, 7]),
        ("squeezenet1_1", 28, "imagenet", [6, 3, 1, 1]),
    ],
)
def test_map_sizes(name, side, stem, expected, sides):
    assert sides(name, side, stem=stem) == expected


def test_a_fire_is_the_maps_of_both_expansions_side_by_side():
    torch.manual_seed(0)
    fire, x = Fire(6, 2, 4), torch.randn(3, 6, 5, 5)
    few = fire.squeeze(x).relu()
    y = fire(x)
    torch.testing.assert_close(y[:, :4], fire.expand1x1(few).relu())
    torch.testing.assert_close(y[:, 4:], fire.expand3x3(few).relu())


@pytest.mark.parametrize(
    ("name", "stem", "smallest"),
    [("squeezenet1_0", "imagenet", 21), ("squeezenet1_1", "imagenet", 17), ("squeezenet1_1", "small", 4)],
)
def test_the_smallest_picture_is_the_one_that_leaves_one_position(name, stem, smallest, sides):
    assert sides(name, smallest, stem=stem)[-1] == 1
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(name, stem=stem).eval()
        with pytest.raises(RuntimeError):
            network.features(torch.zeros(1, 1, smallest - 1, smallest))
        with pytest.raises(PictureTooSmall, match=f"{smallest} x {smallest}"):
            network(torch.zeros(1, 1, smallest - 1, smallest))
