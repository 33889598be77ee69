"""Convolutions, pools, paddings, interpolation: position i is made of a few neighbouring positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from wiesel.analysis.field_rules import axes
from wiesel.analysis.field_rules.arrangement import Arrangement, Atom, free, is_free, mixed, reshaped, together
from wiesel.analysis.field_rules.axes import Kind
from wiesel.analysis.field_rules.rule import NoRule, Shape
from wiesel.analysis.tape import Operation


def slide(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Convolutions (also transposed) and pools."""
    told, shape = operation.settings, shapes[0]
    kernel = told["kernel"]
    count = len(kernel)
    state = inputs[0]
    for other in inputs[1:]:  # weights that were computed from the picture: every position depends on them
        state = together(state, mixed(other, range(len(other.dimensions)), False, operation.name))
    if len(state.dimensions) < count + ("out_channels" in told):
        raise NoRule
    if "out_channels" in told:
        state = mixed(state, [-count - 1], False, operation.name)
        state = state.with_dimension(-count - 1, free(told["out_channels"]))
    for place in range(count):
        dimension = place - count
        size, stride, before, dilation = kernel[place], told["stride"][place], told["padding"][place], told["dilation"][place]
        if "output_padding" in told:
            taps, exists = axes.transposed(shape[dimension], size, stride, before, dilation)
            state = tapped(state, dimension, taps, 1 / stride, operation.name, exists)
        else:
            taps = axes.window(shape[dimension], size, stride, before, dilation)
            state = tapped(state, dimension, taps, stride, operation.name)
    return [state for _ in shapes]


def tapped(
    state: Arrangement, dimension: int, taps: Any, stride: float, name: str, exists: Any = None, free_positions: bool = False
) -> Arrangement:
    """One dimension whose position i is now made of the positions `taps[i]`; `stride` in positions of the old one."""
    positions = len(taps)
    kind = state.single(dimension)
    if kind:
        axis = state.axis(kind)
        state = state.with_axis(kind, axis.gather(taps, axis.stride * stride, exists))
        return state.with_dimension(dimension, (Atom(kind, positions, 1),))
    if not is_free(state.dimensions[dimension]):
        # Windows over tokens or parts of rows: not followed in detail, so this is a bound, not a mean over all.
        state = _at_most(mixed(state, [dimension], False, name), state)
    return state.with_dimension(dimension, free(positions))


def _at_most(state: Arrangement, before: Arrangement) -> Arrangement:
    for kind in "hw":
        axis = state.axis(kind)
        if axis.kind is Kind.WHOLE and before.axis(kind).kind is not Kind.WHOLE:
            state = state.with_axis(kind, replace(axis, kind=Kind.BOUND))
    return state


def adapt(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state = inputs[0]
    count = len(operation.settings["output_size"])
    for dimension in range(-count, 0):
        size = shapes[0][dimension]
        if size == 1:
            state = mixed(state, [dimension], False, operation.name)
        else:
            length = state.shape[dimension]
            taps, exists = axes.adaptive(size, length)
            state = tapped(state, dimension, taps, length / size, operation.name, exists)
    return [state for _ in shapes]


def interpolate(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state, told = inputs[0], operation.settings
    count = len(state.dimensions) - 2
    factors = told.get("scale_factor")
    for place in range(count):
        dimension = place - count
        length, size = state.shape[dimension], shapes[0][dimension]
        factor = factors[place] if isinstance(factors, tuple) else factors
        ratio = length / size if factor is None or told.get("recompute_scale_factor") else 1 / factor
        exists = None
        if told["mode"] == "area":
            taps, exists = axes.adaptive(size, length)
        elif told["mode"] in ("nearest", "nearest-exact", "linear", "bilinear", "bicubic"):
            taps = axes.interpolated(
                size, length, told["mode"], ratio, bool(told.get("align_corners")), bool(told.get("antialias"))
            )
        else:
            raise NoRule
        if size == length and ratio == 1:
            continue
        state = tapped(state, dimension, taps, length / size, operation.name, exists)
    return [state]


def pad(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state, told = inputs[0], operation.settings
    margins = told["pad"]
    for place in range(len(margins) // 2):
        dimension, before = -1 - place, margins[2 * place]
        length = state.shape[dimension]
        taps = np.arange(shapes[0][dimension]) - before
        if told.get("mode", "constant") == "reflect" and length > 1:
            taps = np.abs((taps + length - 1) % (2 * length - 2) - (length - 1))
        elif told.get("mode") == "replicate":
            taps = np.clip(taps, 0, length - 1)
        elif told.get("mode") == "circular":
            taps = taps % length
        if shapes[0][dimension] != length or before:
            state = tapped(state, dimension, taps[:, None], 1, operation.name)
    return [state]


def shuffle(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Pixel shuffle: r x r channels become r x r positions."""
    state = inputs[0].with_dimension(-3, free(shapes[0][-3]))
    for dimension in (-2, -1):
        size = shapes[0][dimension]
        factor = size // state.shape[dimension]
        state = tapped(state, dimension, np.arange(size)[:, None] // factor, 1 / factor, operation.name)
    return [state]


def unshuffle(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state = inputs[0].with_dimension(-3, free(shapes[0][-3]))
    for dimension in (-2, -1):
        factor = state.shape[dimension] // shapes[0][dimension]
        state = tapped(state, dimension, axes.window(shapes[0][dimension], factor, factor, 0), factor, operation.name)
    return [state]


def unfold(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state, told = inputs[0], operation.settings
    if "step" in told:  # Tensor.unfold: one dimension, and the windows as a new last one
        dimension = told["dimension"] % len(state.dimensions)
        taps = axes.window(shapes[0][dimension], told["size"], told["step"], 0)
        state = tapped(state, dimension, taps, told["step"], operation.name)
        return [replace(state, dimensions=(*state.dimensions, free(told["size"])))]
    if len(state.dimensions) != 4:
        raise NoRule
    counts = []
    for place, dimension in enumerate((-2, -1)):
        kernel, stride, padding, dilation = (_pair(told[key])[place] for key in ("kernel_size", "stride", "padding", "dilation"))
        size = (state.shape[dimension] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        taps = axes.window(size, kernel, stride, padding, dilation)
        state = tapped(state, dimension, taps, stride, operation.name)
        counts.append(size)
    state = mixed(state, [1], False, operation.name).with_dimension(1, free(shapes[0][1]))
    return [reshaped(state, shapes[0])]


def fold(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state, told = inputs[0], operation.settings
    if len(state.dimensions) != 3:
        raise NoRule
    grid = []
    for place in (0, 1):
        kernel, stride, padding, dilation = (_pair(told[key])[place] for key in ("kernel_size", "stride", "padding", "dilation"))
        grid.append((_pair(told["output_size"])[place] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
    batch, channels = shapes[0][0], shapes[0][1]
    state = mixed(state, [1], False, operation.name).with_dimension(1, free(channels))
    state = reshaped(state, (batch, channels, *grid))
    for place, dimension in enumerate((-2, -1)):
        kernel, stride, padding, dilation = (_pair(told[key])[place] for key in ("kernel_size", "stride", "padding", "dilation"))
        taps, exists = axes.transposed(shapes[0][dimension], kernel, stride, padding, dilation)
        state = tapped(state, dimension, taps, 1 / stride, operation.name, exists)
    return [state]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value
