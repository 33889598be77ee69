"""Methods that differentiate the score with respect to the pixels.

    saliency               |d score / d x|, largest over the channels        Simonyan, Vedaldi, Zisserman 2014, arXiv:1312.6034
    SmoothGrad             the mean gradient of noisy copies, then the same  Smilkov et al. 2017, arXiv:1706.03825
    integrated gradients   (x - x') * mean gradient between x' and x         Sundararajan, Taly, Yan 2017, arXiv:1703.01365

Integrated gradients are signed and add up to score(x) - score(x'); how far they miss it is reported.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from wiesel.errors import BadValue
from wiesel.explanation.explanation import Explanation, finished, on_picture, strongest
from wiesel.explanation.scores import checked_target, differentiating, logits, one_picture
from wiesel.language import number, say

CHUNK = 16
"""Copies of the picture that are differentiated at once."""


def saliency(network: nn.Module, picture: Tensor, target: int | None = None) -> Explanation:
    """Magnitude of the gradient of the score at each pixel of `picture` (1, C, H, W).

    Raises:
        ClassOutside: there is no such class.
    """
    whole = one_picture(picture)
    scores, target = _scores(network, whole, target)
    gradient = _mean_gradient(network, whole, target, 1, lambda _start, _end: (whole, torch.ones(1)))
    return finished("saliency", target, scores, strongest(gradient), (whole.shape[2], whole.shape[3]), kind="sensitivity")


def smoothgrad(
    network: nn.Module, picture: Tensor, target: int | None = None, *, samples: int = 50, noise: float = 0.15, seed: int = 0
) -> Explanation:
    """Magnitude of the gradient averaged over `samples` copies with normal noise; `noise`: its deviation as a share of the picture's range.

    Raises:
        ClassOutside: there is no such class.
        BadValue: no sample, or negative noise.
    """
    if samples < 1:
        raise BadValue(setting="samples", value=samples, expected="1..")
    if noise < 0:
        raise BadValue(setting="noise", value=noise, expected=">= 0")
    whole = one_picture(picture)
    scores, target = _scores(network, whole, target)
    deviation = noise * float(whole.max() - whole.min())
    generator = torch.Generator().manual_seed(seed)

    def noisy(start: int, end: int) -> tuple[Tensor, Tensor]:
        drawn = torch.randn((end - start, *whole.shape[1:]), generator=generator).to(whole.device)
        return whole + deviation * drawn, torch.full((end - start,), 1 / samples)

    gradient = _mean_gradient(network, whole, target, samples, noisy)
    said = number(deviation, 3)
    return finished(
        "smoothgrad",
        target,
        scores,
        strongest(gradient),
        (whole.shape[2], whole.shape[3]),
        kind="sensitivity",
        remarks=(
            say(
                en=f"Mean gradient over {samples} copies with noise of deviation {said}.",
                de=f"Mittlerer Gradient über {samples} Kopien mit Rauschen der Streuung {said}.",
            ),
        ),
        measured={"samples": samples, "deviation": deviation},
    )


def integrated_gradients(
    network: nn.Module, picture: Tensor, target: int | None = None, *, baseline: Tensor | float = 0.0, steps: int = 50
) -> Explanation:
    """Signed attributions of the pixels, summed over the channels; they add up to score(picture) - score(baseline), but for a gap.

    `baseline`: a picture (1, C, H, W) or one value for all pixels; 0 is the mean colour of the training pictures for a normalised
    picture. `steps`: points of the Gauss-Legendre rule on the straight line between the two. `measured` has the difference of the
    scores, the sum, and the gap between them.

    Raises:
        ClassOutside: there is no such class.
        BadValue: no step, or a baseline of another shape.
    """
    if steps < 1:
        raise BadValue(setting="steps", value=steps, expected="1..")
    whole = one_picture(picture)
    start_at = torch.as_tensor(baseline, dtype=whole.dtype, device=whole.device)
    if start_at.ndim and tuple(start_at.shape[-3:]) != tuple(whole.shape[1:]):
        raise BadValue(setting="baseline", value=tuple(start_at.shape), expected=tuple(whole.shape))
    start_at = start_at.expand(whole.shape)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    places = torch.from_numpy((nodes + 1) / 2).to(whole)
    shares = torch.from_numpy(weights / 2)

    def between(start: int, end: int) -> tuple[Tensor, Tensor]:
        return start_at + places[start:end, None, None, None] * (whole - start_at), shares[start:end]

    scores, target = _scores(network, whole, target)
    scores_before, _ = _scores(network, start_at, target)
    gradient = _mean_gradient(network, whole, target, steps, between)
    attributions = (whole - start_at).double() * gradient
    difference = float(scores[0, target] - scores_before[0, target])
    total = float(attributions.sum())
    gap = total - difference
    missed = f"{gap:.1e}"
    relative = abs(gap) / abs(difference) if difference else float("nan")
    remarks = [
        say(
            en=f"The attributions add up to {number(total, 4)}; the score differs from the baseline's by {number(difference, 4)} (gap {missed}).",
            de=f"Die Beiträge ergeben zusammen {number(total, 4)}; der Wert weicht von dem der Grundlage "
            f"um {number(difference, 4)} ab (Lücke {missed.replace('.', ',')}).",
        )
    ]
    if relative > 0.05:
        remarks.append(
            say(
                en=f"The gap is above 5 %: take more than {steps} steps.",
                de=f"Die Lücke ist grösser als 5 %: mehr als {steps} Schritte nehmen.",
            )
        )
    return finished(
        "integrated_gradients",
        target,
        scores,
        on_picture(attributions),
        (whole.shape[2], whole.shape[3]),
        kind="evidence",
        remarks=tuple(remarks),
        measured={"sum": total, "difference": difference, "gap": gap, "relative_gap": relative, "steps": steps},
    )


def _scores(network: nn.Module, picture: Tensor, target: int | None) -> tuple[Tensor, int]:
    with differentiating(network), torch.no_grad():
        scores = logits(network, picture.clone())
    return scores, checked_target(scores, target)


def _mean_gradient(
    network: nn.Module, whole: Tensor, target: int, count: int, copies: Callable[[int, int], tuple[Tensor, Tensor]]
) -> Tensor:
    """Weighted sum of d score / d x over `count` copies, float64 (1, C, H, W); `copies(start, end)` gives those of a chunk and their weights."""
    with differentiating(network):
        total = torch.zeros(whole.shape, dtype=torch.float64, device=whole.device)
        for start in range(0, count, CHUNK):
            pictures, weights = copies(start, min(start + CHUNK, count))
            leaf = pictures.detach().clone().requires_grad_()
            scores = logits(network, leaf.clone())  # of a copy: the first layer may write into its input
            gradient = None
            if scores.requires_grad:
                (gradient,) = torch.autograd.grad(scores[:, target].sum(), leaf, allow_unused=True)
            if gradient is not None:
                total += torch.einsum("n,nchw->chw", weights.double().to(whole.device), gradient.double())
    return total
