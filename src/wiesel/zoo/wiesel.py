"""Our own small network: accuracy per second on a laptop's processor, for pictures of 20 to 64 pixels.

    at 28 px, width m      maps
    stem                   8 @ 27x27        2x2 patches, whitened: fixed filters, made from the training pictures
    stage1                 32 @ 13x13       conv, pool, norm, GELU; conv, norm, GELU
    stage2                 128 @ 6x6        the same
    stage3                 128 @ 3x3        the same
    head                   128              the largest value of each map, divided by 9; linear

The design is airbench's (Jordan 2024, arXiv:2404.00498, section 3), of which this keeps the shape and changes the widths: on a
processor the time goes into multiply-adds, so it has fewer of them. Four ideas make it learn in few epochs:

* *Whitening.* The first filters are the principal directions of the pictures' own 2x2 patches, each divided by its standard
  deviation, and their negatives. They are computed (`Whitening.prepare`), not learned, so the stem needs no backward pass.
* *Dirac initialisation.* A 3x3 filter bank starts by passing its inputs through (Zagoruyko and Komodakis 2017, arXiv:1706.00388);
  only the outputs beyond the number of inputs start at random.
* *Pool before norm*, so that norm and activation see a quarter of the positions (Page 2018, "How to train your ResNet").
* *Fixed scales.* The norms' scales stay 1 and only their shifts learn.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.zoo.network import Network

PATCH = 2
"""Side of the whitened patches in pixels."""
NORM_MOMENTUM = 0.4
"""Share of the newest batch in the running statistics: few steps, so they must follow quickly."""
LOGIT_SCALE = 1 / 9


class Whitening(nn.Conv2d):
    """2x2 filters that are computed from pictures by `prepare`, before training, and never learn. Until then they are random."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2 * channels * PATCH**2, PATCH, bias=False)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def prepare(self, pictures: Tensor) -> None:
        """Whiten for normalised pictures (N, C, H, W); some thousands are enough."""
        self.weight.copy_(whitening_filters(pictures, PATCH))


def whitening_filters(pictures: Tensor, patch: int, eps: float = 5e-4) -> Tensor:
    """Filters (2 * C * patch**2, C, patch, patch): v_k / sqrt(lambda_k + eps), the largest eigenvalue first, then their negatives.

    lambda and v are the eigenvalues and -vectors of the mean of x x^T over all patches x, not centred, so that the first filter
    sees brightness. Without the negatives an activation like GELU would lose one sign of each.
    """
    channels = pictures.shape[1]
    patches = F.unfold(pictures, patch).movedim(1, 0).reshape(channels * patch**2, -1).double()
    values, vectors = torch.linalg.eigh(patches @ patches.T / patches.shape[1])
    filters = (vectors / (values.clamp(min=0) + eps).sqrt()).T.flip(0).reshape(-1, channels, patch, patch)
    return torch.cat([filters, -filters]).float()


def wiesel_s(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Widths 32, 64, 128."""
    return _wiesel((32, 64, 128), classes, channels)


def wiesel_m(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Widths 32, 128, 128."""
    return _wiesel((32, 128, 128), classes, channels)


def wiesel_l(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Widths 64, 256, 256: airbench94's."""
    return _wiesel((64, 256, 256), classes, channels)


def _wiesel(widths: tuple[int, int, int], classes: int, channels: int) -> Network:
    stem = Whitening(channels)
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(OrderedDict(whitening=stem, gelu=nn.GELU())))
    for number, (before, width) in enumerate(zip((stem.out_channels, *widths[:-1]), widths, strict=True), start=1):
        parts[f"stage{number}"] = _stage(before, width)
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveMaxPool2d(1),
            flatten=nn.Flatten(),
            scale=Scale(LOGIT_SCALE),
            linear=nn.Linear(widths[-1], classes, bias=False),
        )
    )
    return Network(nn.Sequential(parts), head, smallest=(9, 9))


def _stage(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=_dirac_conv(before, width),
            pool=nn.MaxPool2d(2),
            norm1=_norm(width),
            gelu1=nn.GELU(),
            conv2=_dirac_conv(width, width),
            norm2=_norm(width),
            gelu2=nn.GELU(),
        )
    )


def _dirac_conv(before: int, width: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
    nn.init.dirac_(conv.weight[: min(before, width)])
    return conv


def _norm(width: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(width, eps=1e-12, momentum=NORM_MOMENTUM)
    norm.weight.requires_grad_(False)
    return norm


class Scale(nn.Module):
    """Its input times a fixed number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        return values * self.factor

    def extra_repr(self) -> str:
        return f"factor={self.factor:.4g}"
