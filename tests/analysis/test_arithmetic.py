"""The calculations by hand against PyTorch's modules, and against the worked examples of the textbook chapter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from wiesel.analysis import arithmetic
from wiesel.errors import CannotExplain


def results(layer: nn.Module, shape: tuple[int, ...]) -> dict[str, int]:
    return {step.sought: step.result for step in arithmetic.explain(layer, shape)}


@pytest.mark.parametrize(
    ("layer", "parameters", "numbers"),
    [
        (nn.Conv2d(1, 32, 3), 320, "9 x 32 + 32"),
        (nn.Conv2d(3, 64, 3, padding=1), 1_792, "27 x 64 + 64"),
        (nn.Conv2d(64, 64, 3, padding=1), 36_928, "576 x 64 + 64"),
        (nn.Linear(1024, 1024), 1_049_600, "1,024 x 1,024 + 1,024"),
        (nn.BatchNorm2d(64), 128, "2 x 64"),
    ],
)
def test_the_chapters_worked_examples_come_out_with_their_derivation(layer: nn.Module, parameters: int, numbers: str) -> None:
    last = arithmetic.weights(layer)[-1]
    assert (last.result, last.numbers) == (parameters, numbers)
    assert parameters == sum(p.numel() for p in layer.parameters())


def test_the_chapters_block_has_74_112_parameters() -> None:
    block = [
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.MaxPool2d(2),
    ]
    assert sum(steps[-1].result for layer in block if (steps := arithmetic.weights(layer))) == 74_112


geometry: dict[str, Any] = {
    "kernel": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "stride": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "dilation": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "sides": st.tuples(st.integers(14, 40), st.integers(14, 40)),
}


@settings(max_examples=150)
@given(**geometry, padding=st.tuples(st.integers(0, 3), st.integers(0, 3)), groups=st.sampled_from([1, 2, 4]), bias=st.booleans())
def test_every_geometry_of_a_convolution_agrees_with_pytorch(
    kernel: Any, stride: Any, dilation: Any, sides: Any, padding: Any, groups: int, bias: bool
) -> None:
    layer = nn.Conv2d(4, 8, kernel, stride, padding, dilation, groups, bias)
    found = results(layer, (4, *sides))
    expected = layer(torch.zeros(1, 4, *sides))
    assert (found["output height"], found["output width"]) == expected.shape[-2:]
    assert found["parameters"] == sum(p.numel() for p in layer.parameters())
    assert found["multiply-adds (MAC)"] * 2 == found["floating-point operations (FLOP)"]
    assert found["multiply-adds (MAC)"] == expected.numel() * layer.weight[0].numel()
    assert found["bytes of the output"] == expected.numel() * expected.element_size()


@settings(max_examples=150)
@given(**geometry, share=st.floats(0, 1), ceil=st.booleans())
def test_every_geometry_of_pooling_agrees_with_pytorch(
    kernel: Any, stride: Any, dilation: Any, sides: Any, share: float, ceil: bool
) -> None:
    padding = tuple(int(k // 2 * share) for k in kernel)
    layer = nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil)
    found = results(layer, (2, *sides))
    assert (found["output height"], found["output width"]) == layer(torch.zeros(1, 2, *sides)).shape[-2:]


def test_lines_that_no_window_reaches_are_counted() -> None:
    found = results(nn.Conv2d(1, 1, 3, stride=2), (1, 28, 29))
    assert (
        found["lines that no window reaches (output height)"] == 1
    )  # windows at 0, 2, ..., 24; the last one ends at line 26 of 27
    assert "lines that no window reaches (output width)" not in found


def test_same_padding_keeps_the_size_and_valid_adds_nothing() -> None:
    assert results(nn.Conv2d(1, 1, (4, 3), padding="same", dilation=2), (1, 9, 11))["output height"] == 9
    assert results(nn.Conv2d(1, 1, 3, padding="valid"), (1, 9, 11))["output width"] == 9


def test_a_layer_without_a_rule_is_refused_by_its_type() -> None:
    with pytest.raises(CannotExplain, match="Dropout"):
        arithmetic.explain(nn.Dropout(), (1, 2, 2))


def test_german_speaks_german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert "Kernhöhe x Kernbreite x Eingangskanäle = 3 x 3 x 1 = 9" in str(arithmetic.weights(nn.Conv2d(1, 32, 3))[0])
