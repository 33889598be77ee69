import math

import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo


def sizes(name, side):
    with torch.device("meta"), torch.no_grad():
        maps, found = torch.zeros(1, 3, side, side), []
        for stage in zoo.build(name, channels=3, size=side).features:
            maps = stage(maps)
            found.append(maps.shape[-1])
    return found


def test_stages_halve_the_picture():
    assert sizes("vgg16", 224) == [112, 56, 28, 14, 7]
    assert sizes("vgg16", 28) == [14, 7, 4, 2, 1]
    assert sizes("vgg16", 63) == [32, 16, 8, 4, 2]
    assert sizes("vgg16", 64) == [32, 16, 8, 4, 2]
    assert sizes("vgg16", 100) == [50, 25, 12, 6, 3]


@pytest.mark.parametrize(("name", "layers"), [("vgg11", 8), ("vgg13", 10), ("vgg16", 13), ("vgg19", 16)])
def test_the_name_counts_the_convolutions_and_three_linear_layers(name, layers):
    with torch.device("meta"):
        modules = list(zoo.build(name).modules())
    assert sum(isinstance(m, nn.Conv2d) for m in modules) == layers
    assert sum(isinstance(m, nn.Linear) for m in modules) == 3
    assert int(name.removeprefix("vgg")) == layers + 3


def test_below_64_pixels_the_head_is_one_linear_layer():
    with torch.device("meta"):
        assert sum(p.numel() for p in zoo.build("vgg11", size=63).head.parameters()) == 512 * 10 + 10
        assert sum(p.numel() for p in zoo.build("vgg11", size=64).head.parameters()) > 119_000_000


def test_logits_equal_torchvision_s_with_the_same_weights():
    with torch.device("meta"):  # 133 million weights: drawn once, and shared by both
        theirs, ours = torchvision.models.vgg11_bn(init_weights=False), zoo.build("vgg11_bn", classes=1000, channels=3)
    theirs.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, values in theirs.state_dict().items():
            if "running_var" in name:
                values.uniform_(0.5, 1.5, generator=generator)
            elif values.ndim > 1:
                bound = math.sqrt(6 / values[0].numel())
                values.uniform_(-bound, bound, generator=generator)
            elif values.ndim == 1:
                values.normal_(0.5, 0.3, generator=generator)
            else:
                values.zero_()
    zoo.load_weights(ours, theirs.state_dict())
    pictures = torch.randn(2, 3, 64, 64, generator=generator)
    with torch.no_grad():
        expected, found = theirs(pictures), ours.eval()(pictures)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
