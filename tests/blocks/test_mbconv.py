import pytest
import torch
from torch import nn

from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.squeeze_excite import SqueezeExcite


def test_a_block_is_its_picture_plus_the_correction():
    torch.manual_seed(0)
    block, x = MBConv(8, 24, 8, 3, 1, nn.ReLU6, SqueezeExcite(24, 2)).eval(), torch.randn(2, 8, 7, 6)
    torch.testing.assert_close(block(x), x + block.project(block.squeeze_excite(block.depthwise(block.expand(x)))))


@pytest.mark.parametrize(("channels_out", "stride"), [(8, 2), (12, 1)])
def test_there_is_no_shortcut_where_shapes_differ(channels_out, stride):
    torch.manual_seed(0)
    block, x = MBConv(8, 24, channels_out, 5, stride, nn.SiLU).eval(), torch.randn(2, 8, 7, 6)
    assert block.stochastic_depth is None
    torch.testing.assert_close(block(x), block.project(block.depthwise(block.expand(x))))
    assert block(x).shape == (2, channels_out, -(-7 // stride), -(-6 // stride))


def test_what_would_not_widen_is_left_out():
    block = MBConv(8, 8, 8, 3, 1, nn.SiLU)
    assert block.expand is None
    assert [m.groups for m in block.modules() if isinstance(m, nn.Conv2d)] == [8, 1]


def test_the_narrow_end_has_no_activation():
    assert [name for name, _ in MBConv(8, 24, 8, 3, 1, nn.SiLU).project.named_children()] == ["conv", "norm"]


def test_a_block_without_its_correction_is_its_shortcut():
    torch.manual_seed(0)
    block, x = MBConv(4, 8, 4, 3, 1, nn.SiLU, survival=0.5).train(), torch.randn(64, 4, 3, 3)
    same = (block(x) == x).all(1).all(1).all(1)
    assert 10 < same.sum() < 54
