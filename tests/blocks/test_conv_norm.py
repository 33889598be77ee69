import pytest
import torch
from torch import nn

from wiesel.blocks.conv_norm import conv, conv_norm


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize(("stride", "sizes"), [(1, (8, 7)), (2, (4, 4)), (3, (3, 3))])
def test_a_convolution_divides_the_size_by_its_stride_and_rounds_up(kernel, stride, sizes):
    with torch.device("meta"):
        assert conv(3, 5, kernel, stride)(torch.zeros(2, 3, 8, 7)).shape == (2, 5, *sizes)


def test_a_convolution_before_a_norm_has_no_bias_and_a_group_sees_only_its_channels():
    assert conv(4, 8, kernel=3).bias is None
    assert conv(4, 8, kernel=3, groups=2).weight.shape == (8, 2, 3, 3)


def test_conv_norm_is_convolution_then_norm_then_activation():
    torch.manual_seed(0)
    piece, maps = conv_norm(3, 4, kernel=3, activation=nn.ReLU), torch.randn(5, 3, 6, 6)
    filtered = nn.functional.conv2d(maps, piece.conv.weight, padding=1)
    mean, variance = filtered.mean((0, 2, 3), keepdim=True), filtered.var((0, 2, 3), keepdim=True, correction=0)
    expected = ((filtered - mean) / torch.sqrt(variance + 1e-5)).clamp(min=0)
    torch.testing.assert_close(piece(maps), expected, rtol=1e-4, atol=1e-5)


def test_conv_norm_without_an_activation_ends_with_the_norm():
    assert [name for name, _ in conv_norm(3, 4, kernel=1).named_children()] == ["conv", "norm"]
