"""The inverted bottleneck, MBConv: narrow between blocks, wide within (Sandler et al. 2018, arXiv:1801.04381, section 3.3).

A 1x1 convolution widens, a depthwise one looks around (each channel by itself, so that width is cheap), a 1x1 narrows again. The
narrow end has no activation: on few channels a ReLU would lose information. Shortcuts join the narrow ends.

Squeeze and excitation on the wide maps came with MnasNet (Tan et al. 2018, arXiv:1807.11626).
"""

from __future__ import annotations

from torch import Tensor, nn

from wiesel.blocks.conv_norm import conv_norm
from wiesel.blocks.stochastic_depth import StochasticDepth


class MBConv(nn.Module):
    """(B, Cin, H, W) -> (B, Cout, ceil(H/stride), ceil(W/stride)), `expanded` channels within.

    The widening convolution is left out where it would not widen, and the shortcut where shapes differ. `squeeze_excite` works on
    the wide maps after the depthwise convolution. `same`: margins as TensorFlow lays them.
    """

    def __init__(
        self,
        channels_in: int,
        expanded: int,
        channels_out: int,
        kernel: int,
        stride: int,
        activation: type[nn.Module],
        squeeze_excite: nn.Module | None = None,
        survival: float = 1.0,
        same: bool = False,
    ) -> None:
        super().__init__()
        widens = expanded != channels_in
        self.expand = conv_norm(channels_in, expanded, kernel=1, activation=activation) if widens else None
        self.depthwise = conv_norm(expanded, expanded, kernel, stride, groups=expanded, activation=activation, same=same)
        self.squeeze_excite = squeeze_excite
        self.project = conv_norm(expanded, channels_out, kernel=1)
        same_shape = stride == 1 and channels_in == channels_out
        self.stochastic_depth = StochasticDepth(survival) if same_shape else None

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else self.expand(x)
        wide = self.depthwise(wide)
        if self.squeeze_excite is not None:
            wide = self.squeeze_excite(wide)
        correction: Tensor = self.project(wide)
        if self.stochastic_depth is None:
            return correction
        y: Tensor = x + self.stochastic_depth(correction)
        return y
