import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.zoo.xception import XceptionBlock, separable


def test_map_sizes(sides):
    assert sides("xception", 299) == [147, 74, 37, 19, 10]
    assert sides("xception", 71) == [33, 17, 9, 5, 3]
    assert sides("xception", 7) == [1, 1, 1, 1, 1]


def test_a_separable_convolution_has_9_weights_for_each_map_and_one_for_each_pair():
    layer = separable(728, 728)
    assert sum(p.numel() for p in layer.parameters()) == 9 * 728 + 728 * 728
    maps = torch.zeros(1, 728, 5, 5)
    maps[0, 3, 2, 2] = 1
    touched = layer.depthwise(maps).abs().amax((0, 2, 3)).nonzero().flatten()
    assert touched.tolist() == [3]


@pytest.mark.parametrize(("widths", "stride", "first_relu"), [((6, 6, 6), 1, True), ((6, 8, 8), 2, True), ((6, 8, 8), 2, False)])
def test_a_block_is_shortcut_plus_correction_and_starts_with_a_relu_but_for_the_first(widths, stride, first_relu):
    torch.manual_seed(0)
    block, x = XceptionBlock(widths, stride, first_relu).eval(), torch.randn(2, 6, 7, 6)
    assert block(x).shape == (2, widths[-1], -(-7 // stride), -(-6 // stride))
    torch.testing.assert_close(block(x), block.shortcut(x) + block.correction(x))
    depends = not torch.allclose(block.correction(x), block.correction(x.relu()))
    assert depends == (not first_relu)
    assert block.last_norm is block.correction.norm2


def test_36_convolutions_as_the_paper_counts():
    """Section 4: 36 convolutional layers, a separable one counted once, shortcuts not."""
    with torch.device("meta"):
        network = zoo.build("xception")
    stem = [m for m in network.features.stem if isinstance(m, nn.Conv2d)]
    assert len(stem) + sum("depthwise" in name.split(".")[-1] for name, _ in network.named_modules()) == 36


def test_middle_blocks_start_as_the_identity_if_asked():
    torch.manual_seed(0)
    block, x = zoo.build("xception", size=16).features.stage3.middle3, torch.randn(2, 728, 2, 2)
    torch.testing.assert_close(block(x), x)


def test_logits_equal_timm_s_with_the_same_weights(same_logits):
    timm = pytest.importorskip("timm", reason="timm is the only library with this network; it is in the extra `dev`")
    same_logits("xception", timm.create_model("legacy_xception"), 75, 71)


def test_every_parameter_gets_a_gradient():
    with torch.device("meta"):
        network = zoo.build("xception", classes=7, size=32)
        network(torch.zeros(2, 1, 32, 32)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
