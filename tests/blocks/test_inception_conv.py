import pytest
import torch
from torch.nn import functional

from wiesel.blocks.inception_conv import inception_conv


@pytest.mark.parametrize(
    ("kernel", "stride", "margin", "size"),
    [
        (1, 1, True, (9, 7)),
        ((1, 7), 1, True, (9, 7)),
        ((7, 1), 1, True, (9, 7)),
        ((7, 1), 1, False, (3, 7)),
        (3, 2, True, (5, 4)),
        (3, 2, False, (4, 3)),
    ],
)
def test_map_sizes(kernel, stride, margin, size):
    layer = inception_conv(3, 4, kernel, stride, margin)
    assert layer(torch.zeros(2, 3, 9, 7)).shape == (2, 4, *size)


def test_a_convolution_without_bias_then_a_norm_with_epsilon_0_001_then_a_relu():
    layer = inception_conv(2, 3, (3, 1)).eval()
    with torch.no_grad():
        layer.norm.running_var.fill_(0.003)
        x = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
        expected = (functional.conv2d(x, layer.conv.weight, padding=(1, 0)) / (0.003 + 0.001) ** 0.5).relu()
        torch.testing.assert_close(layer(x), expected)
    assert [name for name, _ in layer.named_children()] == ["conv", "norm", "activation"]
