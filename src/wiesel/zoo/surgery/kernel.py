"""`kernel=5`: convolutions look at 5x5 pixels, or `kernel=3x7` (height x width).

All convolutions that look around are meant; a 1x1 mixes channels only and stays, unless `@` names it. Of a 1x7 only the 7 changes.
Margins are adapted so that maps keep their size, which needs odd kernels. Where a margin would have to be negative, maps grow.
"""

from __future__ import annotations

from torch import nn

from wiesel.blocks.same_pad import SamePad
from wiesel.language import say
from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import draw, reshape_conv, set_padding
from wiesel.zoo.surgery.work import Request, Work

LARGEST = 31


def sides(text: str) -> tuple[int, int] | None:
    """(height, width) of "5" or "3x7"; None if the text says neither.

    >>> sides("5"), sides("3x7"), sides("five")
    ((5, 5), (3, 7), None)
    """
    parts = text.split("x")
    if not all(part.isdigit() for part in parts) or len(parts) > 2:
        return None
    return int(parts[0]), int(parts[-1])


def check(request: Request) -> None:
    refuse_even(request, request.value, sides(request.value))


def refuse_even(request: Request, text: str, kernel: tuple[int, int] | None) -> None:
    if kernel is None or any(side % 2 == 0 or not 1 <= side <= LARGEST for side in kernel):
        raise request.refusal(
            en=f"{text!r} is no kernel; use an odd number of pixels up to {LARGEST}, such as 5 or 3x7 (with an even one maps shift)",
            de=f"{text!r} ist kein Kern; nimm eine ungerade Zahl Pixel bis {LARGEST}, etwa 5 oder 3x7 (gerade verschieben die Karten)",
        )


def apply(work: Work) -> None:
    wanted = sides(work.request.value)
    assert wanted is not None
    seen_any = False
    for name, conv in work.network.named_modules():
        if not isinstance(conv, nn.Conv2d) or not work.inside(name):
            continue
        before = pair(conv.kernel_size)
        if max(before) == 1 and name not in work.where:
            continue
        seen_any = True
        flat = min(before) == 1 < max(before)
        kernel = (1 if flat and before[0] == 1 else wanted[0], 1 if flat and before[1] == 1 else wanted[1])
        if kernel == before:
            continue
        reshape_conv(conv, kernel=kernel)
        _keep_map_size(work, name, conv, before, kernel)
        draw(work.network, name)
        work.layers.append(name)
    if not seen_any:
        raise work.refusal(
            en=f"no convolution in {work.place()} looks further than one pixel",
            de=f"keine Faltung in {work.place()} sieht weiter als ein Pixel",
        )
    if not work.layers:
        raise work.refusal(en="all kernels have this size already", de="alle Kerne haben diese Grösse schon")


def _keep_map_size(work: Work, name: str, conv: nn.Conv2d, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Choose the margin; the convolution has the new kernel already."""
    if isinstance(conv.padding, str):  # "same" follows the kernel by itself
        return
    margin = next((call.layer for call in work.seen.before(name)), None)
    if isinstance(margin, SamePad) and after[0] == after[1]:
        margin.kernel = after[0]
        return
    call = work.seen.of(name)
    shapes = (maps(call.input), maps(call.output)) if call is not None else (None, None)
    found = []
    for axis in (0, 1):
        padding, dilation = pair(conv.padding)[axis], pair(conv.dilation)[axis]
        nearest = max(0, padding + -(-dilation * (after[axis] - before[axis]) // 2))
        if shapes[0] is None or shapes[1] is None:
            found.append(nearest)
            continue
        length, wanted = shapes[0][axis + 1], shapes[1][axis + 1]
        if positions(conv, axis, length, padding, before[axis]) != wanted:
            found.append(padding)  # a convolution of another library that sees to its margin itself
            continue
        fitting = [p for p in (nearest, nearest - 1, nearest + 1) if p >= 0 and positions(conv, axis, length, p) == wanted]
        found.append(fitting[0] if fitting else nearest)
        if not fitting:
            now = positions(conv, axis, length, nearest)
            work.left_out[name] = say(en=f"maps of {now} instead of {wanted} pixels", de=f"Karten von {now} statt {wanted} Pixeln")
    set_padding(conv, (found[0], found[1]))


def positions(conv: nn.Conv2d, axis: int, length: int, padding: int, kernel: int | None = None) -> int:
    """How many positions the kernel (or one of another length) has on `length` pixels; axis 0 is height."""
    reach = pair(conv.dilation)[axis] * ((kernel or pair(conv.kernel_size)[axis]) - 1)
    return (length + 2 * padding - reach - 1) // pair(conv.stride)[axis] + 1


def pair(value: int | tuple[int, ...] | str) -> tuple[int, int]:
    """PyTorch's sizes are one number or two."""
    assert not isinstance(value, str)
    return (value, value) if isinstance(value, int) else (value[0], value[1])
