import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.errors import PictureTooSmall
from wiesel.zoo.densenet import DenseLayer


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("densenet121", torchvision.models.densenet121(), 75, 64)


@pytest.mark.parametrize(
    ("name", "side", "stem", "expected"),
    [
        ("densenet121", 224, "auto", [56, 56, 28, 14, 7]),
        ("densenet121", 28, "auto", [28, 28, 14, 7, 3]),
        ("densenet169", 32, "imagenet", [8, 8, 4, 2, 1]),
        ("densenet_bc_100", 32, "auto", [32, 32, 16, 8]),
        ("densenet_bc_100", 28, "auto", [28, 28, 14, 7]),
    ],
)
def test_map_sizes(name, side, stem, expected, sides):
    assert sides(name, side, stem=stem) == expected


@pytest.mark.parametrize(("name", "layers"), [("densenet121", 121), ("densenet169", 169), ("densenet_bc_100", 100)])
def test_the_name_counts_convolutions_and_the_linear_layer(name, layers):
    with torch.device("meta"):
        modules = list(zoo.build(name).modules())
    assert sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in modules) == layers


def test_a_layer_adds_its_maps_behind_those_that_it_was_given():
    torch.manual_seed(0)
    layer, maps = DenseLayer(6, growth=4).eval(), torch.randn(2, 6, 5, 5)
    together = layer(maps)
    assert together.shape == (2, 10, 5, 5)
    assert torch.equal(together[:, :6], maps)
    assert not torch.equal(together[:, 6:], torch.zeros(2, 4, 5, 5))


@pytest.mark.parametrize(
    ("name", "stem", "smallest"), [("densenet121", "small", 8), ("densenet121", "imagenet", 29), ("densenet_bc_100", "auto", 4)]
)
def test_the_smallest_picture_is_the_one_that_leaves_one_position(name, stem, smallest, sides):
    assert sides(name, smallest, stem=stem)[-1] == 1
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(name, stem=stem).eval()
        with pytest.raises(RuntimeError):
            network.features(torch.zeros(1, 1, smallest - 1, smallest))
        with pytest.raises(PictureTooSmall, match=f"{smallest} x {smallest}"):
            network(torch.zeros(1, 1, smallest - 1, smallest))
