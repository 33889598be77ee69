import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.blocks.stochastic_depth import StochasticDepth
from wiesel.errors import PictureTooSmall
from wiesel.zoo.convnext import ChannelNorm, ConvNeXtBlock


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    theirs = torchvision.models.convnext_tiny()
    for name, values in theirs.named_parameters():
        if name.endswith("layer_scale"):  # of 10^-6: else only the stems would be compared
            nn.init.normal_(values, 0, 1, generator=torch.Generator().manual_seed(1))
    same_logits("convnext_tiny", theirs, 75, 64)


def test_the_norm_is_over_the_channels_of_each_position():
    torch.manual_seed(0)
    norm, x = ChannelNorm(6), 3 + 2 * torch.randn(2, 6, 4, 5)
    y = norm(x)
    torch.testing.assert_close(y.mean(1), torch.zeros(2, 4, 5), rtol=0, atol=1e-5)
    torch.testing.assert_close(y.var(1, unbiased=False), torch.ones(2, 4, 5), rtol=1e-4, atol=0)


def test_blocks_start_near_the_identity():
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(8, survival=1.0), torch.randn(2, 8, 5, 5)
    assert 0 < (block(x) - x).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("side", "stem", "expected"),
    [(224, "auto", [56, 56, 28, 14, 7]), (28, "auto", [28, 28, 14, 7, 3]), (32, "imagenet", [8, 8, 4, 2, 1])],
)
def test_map_sizes(side, stem, expected, sides):
    assert sides("convnext_tiny", side, stem=stem) == expected


@pytest.mark.parametrize(("stem", "smallest"), [("small", 8), ("imagenet", 32)])
def test_the_smallest_picture_is_the_one_that_leaves_one_position(stem, smallest, sides):
    assert sides("convnext_tiny", smallest, stem=stem)[-1] == 1
    with torch.device("meta"), torch.no_grad():
        network = zoo.build("convnext_tiny", stem=stem)
        with pytest.raises(RuntimeError):
            network.features(torch.zeros(1, 1, smallest - 1, smallest))
        with pytest.raises(PictureTooSmall, match=f"{smallest} x {smallest}"):
            network(torch.zeros(1, 1, smallest - 1, smallest))


def test_survival_falls_from_block_to_block_over_all_stages():
    with torch.device("meta"):
        modules = list(zoo.build("convnext_tiny", survival=0.1).modules())
    found = [m.survival for m in modules if isinstance(m, StochasticDepth)]
    assert found == pytest.approx([1 - 0.05 * number for number in range(1, 19)])
