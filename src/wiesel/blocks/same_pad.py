"""A margin as TensorFlow lays it: just enough for ceil(side / stride) positions, and where it is odd, the larger part lies at the
right and below. PyTorch's own margins are the same on both sides, so with an even side and stride 2 a network whose weights were
made with this one would look at pictures shifted by one pixel.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class SamePad(nn.Module):
    """Zeros around maps for a convolution without margin: (B, C, H, W) -> (B, C, H + h, W + w).

    After it, a convolution with this `kernel` and `stride` gives ceil(H / stride) x ceil(W / stride) positions.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        above, below = self._margin(x.shape[-2])
        left, right = self._margin(x.shape[-1])
        return functional.pad(x, (left, right, above, below))

    def _margin(self, side: int) -> tuple[int, int]:
        positions = (side + self.stride - 1) // self.stride
        missing = max((positions - 1) * self.stride + self.kernel - side, 0)
        return missing // 2, missing - missing // 2

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"
