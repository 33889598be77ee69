import torch
from torch import nn

from wiesel.blocks.squeeze_excite import SqueezeExcite


def test_each_channel_is_scaled_by_a_gate_that_sees_the_means_of_all():
    torch.manual_seed(0)
    layer, x = SqueezeExcite(6, 2), torch.randn(3, 6, 5, 4)
    hidden = (x.mean((2, 3)) @ layer.reduce.weight[:, :, 0, 0].T + layer.reduce.bias).relu()
    gate = (hidden @ layer.expand.weight[:, :, 0, 0].T + layer.expand.bias).sigmoid()
    torch.testing.assert_close(layer(x), x * gate[:, :, None, None])


def test_activation_and_gate_can_be_chosen():
    layer = SqueezeExcite(6, 2, activation=nn.SiLU, gate=nn.Hardsigmoid)
    assert isinstance(layer.activation, nn.SiLU)
    assert isinstance(layer.gate, nn.Hardsigmoid)
