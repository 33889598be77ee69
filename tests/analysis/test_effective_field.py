"""What a position depends on lies within what theory lets it see, and fills it where theory says it must."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import pi
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from wiesel import zoo
from wiesel.analysis.effective_field import effective_field
from wiesel.analysis.receptive_field import Box, Field, Status, layer_fields
from wiesel.analysis.tape import record
from wiesel.errors import BadValue, LayerNotFound, NoMap, NotOneTensor

CHANNELS = 2


class Branches(nn.Module):
    """Two ways side by side, the larger map cropped to the smaller at its end, then added or concatenated."""

    def __init__(self, left: nn.Module, right: nn.Module, join: str) -> None:
        super().__init__()
        self.left, self.right, self.join = left, right, join

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.left(x), self.right(x)
        height, width = min(left.shape[2], right.shape[2]), min(left.shape[3], right.shape[3])
        left, right = left[..., :height, :width], right[..., :height, :width]
        if self.join == "cat":
            both = torch.cat([left, right], dim=1).contiguous()
            return both[:, :CHANNELS] + both[:, CHANNELS:]  # all channels: fields do not tell them apart
        return left + right


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class IfPossible(nn.Module):
    """Leaves maps alone that are too small for a layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        try:
            return self.layer(x)
        except (RuntimeError, ValueError):
            return x


class Windows(nn.Module):
    """Self-attention within windows of 2 x 2 positions, as Swin arranges it, after a cyclic shift."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
        batch, channels, height, width = x.shape
        x = torch.roll(x, (-self.shift, -self.shift), (2, 3)).permute(0, 2, 3, 1)
        x = x.view(batch, height // 2, 2, width // 2, 2, channels).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, channels)
        x = x + functional.scaled_dot_product_attention(x, x, x)
        x = x.view(batch, height // 2, width // 2, 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


def between(chance: np.random.Generator, low: int, high: int) -> int:
    return int(chance.integers(low, high + 1))


def convolution(chance: np.random.Generator) -> nn.Module:
    kernel, stride, dilation = ((between(chance, 1, high), between(chance, 1, high)) for high in (5, 3, 3))
    padding = tuple(between(chance, 0, k) for k in kernel)
    return nn.Conv2d(CHANNELS, CHANNELS, kernel, stride, padding, dilation, groups=between(chance, 1, CHANNELS), bias=False)


def average(chance: np.random.Generator) -> nn.Module:
    kernel, stride = ((between(chance, 1, high), between(chance, 1, high)) for high in (5, 3))
    padding = tuple(between(chance, 0, k // 2) for k in kernel)
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode=chance.random() < 0.5, count_include_pad=chance.random() < 0.5)


def maximum(chance: np.random.Generator) -> nn.Module:
    kernel, stride, dilation = ((between(chance, 1, high), between(chance, 1, high)) for high in (5, 3, 2))
    # PyTorch corrupts memory when all taps of a window miss the map, which takes padding and dilation.
    padding = tuple(between(chance, 0, k // 2) if max(dilation) == 1 else 0 for k in kernel)
    return nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=chance.random() < 0.5)


def enlarged(chance: np.random.Generator) -> nn.Module:
    kernel, stride, dilation = ((between(chance, 1, high), between(chance, 1, high)) for high in (5, 3, 3))
    padding = tuple(between(chance, 0, (k - 1) // 2) for k in kernel)
    return nn.ConvTranspose2d(CHANNELS, CHANNELS, kernel, stride, padding, dilation=dilation, bias=False)


def resized(chance: np.random.Generator) -> nn.Module:
    options: dict[str, Any] = {"mode": str(chance.choice(["nearest", "nearest-exact", "bilinear", "bicubic", "area"]))}
    if options["mode"] in ("bilinear", "bicubic"):
        options |= [{"align_corners": True}, {"align_corners": False}, {"antialias": True}][between(chance, 0, 2)]
    if chance.random() < 0.5 and not options.get("antialias"):
        options["scale_factor"] = float(chance.choice([0.5, 0.7, 1.5, 2, 3]))
    else:
        options["size"] = (between(chance, 1, 17), between(chance, 1, 17))
    return Function(lambda x: functional.interpolate(x, **options))


def padded(chance: np.random.Generator) -> nn.Module:
    mode = str(chance.choice(["constant", "reflect", "replicate", "circular"]))
    margins = [between(chance, -1 if mode == "constant" else 0, 2) for _ in range(4)]
    return Function(lambda x: functional.pad(x, margins, mode=mode))


def even(x: Tensor) -> Tensor:
    return functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))


def other(chance: np.random.Generator) -> nn.Module:
    size = between(chance, 1, 5)
    shift = between(chance, 0, 1)
    return chance.choice(
        [
            Windows(shift),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d((size, 3)),
            nn.AdaptiveMaxPool2d((size, 2)),
            Function(lambda x: functional.pixel_shuffle(torch.cat([x, x, x, x], 1), 2)),
            Function(lambda x: functional.pixel_unshuffle(even(x), 2)[:, 1:6:3]),
            Function(lambda x: torch.flip(x, (2,))),
            Function(lambda x: torch.cat([x, x[:, :, 1:3]], 2)),
            Function(lambda x: x[:, :, ::2, 1:]),
            Function(lambda x: x * x.mean(3, keepdim=True)),
            Function(lambda x: functional.softmax(x.flatten(2), 1).unflatten(2, x.shape[2:])),
            Function(lambda x: functional.fold(functional.unfold(x, 3, padding=1), x.shape[2:], 3, padding=1)),
            Function(lambda x: torch.einsum("bchw,bdhw->bdhw", x, x)),
            Function(lambda x: (x @ x.transpose(2, 3)) @ x),
        ]
    )


def same(chance: np.random.Generator) -> nn.Module:
    """A convolution that keeps the size; even windows reach further on a side of chance."""
    kernel, dilation = ((between(chance, 1, high), between(chance, 1, high)) for high in (5, 2))
    (top, height), (left, width) = ((between(chance, 0, d * (k - 1)), d * (k - 1)) for k, d in zip(kernel, dilation, strict=True))
    margins = (left, width - left, top, height - top)
    return nn.Sequential(nn.ZeroPad2d(margins), nn.Conv2d(CHANNELS, CHANNELS, kernel, dilation=dilation, bias=False))


SAME = (same,)
LINEAR = (convolution, convolution, average, same)
ANY = (*LINEAR, padded, maximum, enlarged, resized, other, other)


def stack(chance: np.random.Generator, layers: Sequence[Callable[[np.random.Generator], nn.Module]], depth: int = 2) -> nn.Module:
    """One to three layers, some of them two branches of such stacks."""
    parts = []
    for _ in range(between(chance, 1, 3)):
        if depth and chance.random() < 0.4:
            inside = SAME if chance.random() < 0.6 else layers
            left, right = stack(chance, inside, depth - 1), stack(chance, inside, depth - 1)
            parts.append(Branches(left, right, str(chance.choice(["add", "cat"]))))
        else:
            parts.append(IfPossible(layers[between(chance, 0, len(layers) - 1)](chance)))
    return nn.Sequential(*parts)


def prepared(network: nn.Module, positive: bool) -> nn.Module:
    network = nn.Sequential(network).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            values = torch.rand(parameter.shape, generator=generator, dtype=torch.float64) + 0.1
            parameter.copy_(values if positive else values - 0.6)
    return network


def field_of(network: nn.Module, image: tuple[int, int, int]) -> Field:
    """Of the output; gives up on networks that PyTorch refuses or whose maps are large."""
    tape = record(network, image)
    assume(tape.failure is None)
    shape = tape.values[tape.output].shape
    assume(min(shape) >= 1 and shape[2] * shape[3] < 1500)
    return layer_fields(tape)["", 0]


def supports(network: nn.Module, pictures: Tensor, positions: tuple[int, int]) -> dict[tuple[int, int], Box]:
    """Boxes around the pixels with any gradient, for positions in the corners, at the edges and in the middle."""
    pictures = pictures.requires_grad_(True)
    total = network(pictures).sum(dim=(0, 1))
    rows, columns = positions
    found = {}
    for position in {(row, column) for row in (0, rows // 2, rows - 1) for column in (0, columns // 2, columns - 1)}:
        (slope,) = torch.autograd.grad(total[position], pictures, retain_graph=True)
        seen = slope.abs().amax(dim=(0, 1)).nonzero()
        low, high = (seen.amin(0).tolist(), seen.amax(0).tolist()) if len(seen) else ((0, 0), (-1, -1))
        found[position] = Box(low[0], low[1], high[0] + 1, high[1] + 1)
    return found


@settings(max_examples=50, derandomize=True)
@given(st.integers(0, 2**32), st.integers(5, 16), st.integers(5, 16))
def test_positive_weights_see_the_exact_box(seed: int, height: int, width: int) -> None:
    network, image = prepared(stack(np.random.default_rng(seed), LINEAR), positive=True), (CHANNELS, height, width)
    field = field_of(network, image)
    assert field.status in (Status.EXACT, Status.UPPER_BOUND)
    assert field.positions is not None
    for position, support in supports(network, torch.ones(1, *image, dtype=torch.float64), field.positions).items():
        box = field.box(*position)
        assert support == box if field.status is Status.EXACT else within(support, box)
        assert within(box, field.box(*position, clipped=False))


@settings(max_examples=80, derandomize=True)
@given(st.integers(0, 2**32), st.integers(5, 16), st.integers(5, 16))
def test_no_network_depends_on_a_pixel_outside_its_box(seed: int, height: int, width: int) -> None:
    network, image = prepared(stack(np.random.default_rng(seed), ANY), positive=False), (CHANNELS, height, width)
    field = field_of(network, image)
    assert field.status is not Status.UNKNOWN, field.because
    pictures = torch.randn(2, *image, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for position, support in supports(network, pictures, field.positions or (1, 1)).items():
        assert within(support, field.box(*position))
        assert within(support, field.box(*position, clipped=False))


def within(inner: Box, outer: Box) -> bool:
    return inner.is_empty or (
        outer.top <= inner.top and outer.left <= inner.left and inner.bottom <= outer.bottom and inner.right <= outer.right
    )


# --- the measured field itself


def box_filter(kernel: int, padding: int = 0) -> nn.Conv2d:
    layer = nn.Conv2d(1, 1, kernel, padding=padding, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def test_one_window_of_ones_is_a_square_of_ones() -> None:
    found = effective_field(box_filter(3), "", torch.zeros(2, 1, 7, 9))
    wanted = np.zeros((7, 9))
    wanted[2:5, 3:6] = 1
    assert found.position == (2, 3)
    assert (found.heat == wanted).all()
    assert found.support == Box(2, 3, 5, 6)
    assert found.centre == (3, 4)
    assert found.side() == 3
    assert found.radius(1) == pytest.approx(2**0.5)
    # The middle holds 1/9 of all, with the four beside it 5/9.
    assert [found.radius(share) for share in (1 / 9, 2 / 9, 5 / 9, 5.1 / 9)] == pytest.approx([0, 1, 1, 2**0.5])


def test_two_windows_make_a_tent() -> None:
    network = nn.Sequential(box_filter(3), box_filter(3))
    found = effective_field(network, "1", torch.zeros(1, 1, 9, 9), position=(2, 2))
    tent = np.array([1, 2, 3, 2, 1])
    assert (found.heat[2:7, 2:7] == np.outer(tent, tent)).all()
    assert found.heat.sum() == 81
    assert found.side(threshold=0.5) == pytest.approx(5**0.5)  # 9 and four 6, of a maximum of 9; 4 is too little


def test_many_windows_approach_a_normal_distribution() -> None:
    """n windows of size 3 have the variance 2n/3 (that of their sum); 95.45 % of a normal disc lie within 2.486 deviations."""
    depth = 12
    network = nn.Sequential(*[box_filter(3, padding=1) for _ in range(depth)]).double()
    found = effective_field(network, "", torch.zeros(1, 1, 41, 41, dtype=torch.float64))
    deviation = (2 * depth / 3) ** 0.5
    assert found.support == Box(8, 8, 33, 33)
    assert found.radius() == pytest.approx(deviation * (-2 * np.log(1 - 0.9545)) ** 0.5, rel=0.03)
    # exp(-d^2 / 2 s^2) > 0.0455 is a disc of the same radius.
    assert found.side() == pytest.approx(pi**0.5 * deviation * (-2 * np.log(0.0455)) ** 0.5, rel=0.03)
    assert found.side() < 25


def test_it_is_the_mean_of_absolute_gradients_over_pictures() -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x**2

    pictures = torch.tensor([[[[1.0]], [[-2.0]]], [[[3.0]], [[0.0]]]])  # two pictures of two channels and one pixel
    assert effective_field(Square(), "", pictures).heat.item() == ((2 + 4) + (6 + 0)) / 2


def test_a_layer_before_an_in_place_rectifier_is_measured_before_it() -> None:
    network = nn.Sequential(box_filter(1), nn.ReLU(inplace=True))
    picture = -torch.ones(1, 1, 3, 3)
    assert effective_field(network, "0", picture).heat[1, 1] == 1
    assert effective_field(network, "1", picture).heat.sum() == 0
    dead = effective_field(network, "1", picture)
    assert dead.support.is_empty
    assert (dead.radius(), dead.side()) == (0, 0)
    assert np.isnan(dead.centre[0])


def test_calls_of_one_layer_are_told_apart() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blur = box_filter(3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.blur(self.blur(x)).flatten(1)

    picture = torch.zeros(1, 1, 7, 7)
    sides = [effective_field(Twice(), "blur", picture, call=call).support for call in (0, 1)]
    assert sides == [Box(2, 2, 5, 5), Box(1, 1, 6, 6)]
    with pytest.raises(NoMap, match="2 calls"):
        effective_field(Twice(), "blur", picture, call=2)
    with pytest.raises(NoMap, match=r"\(1, 49\)"):
        effective_field(Twice(), "", picture)


def test_wrong_questions_are_answered_with_what_is_right() -> None:
    network, picture = nn.Sequential(box_filter(3), Function(lambda x: (x, x))), torch.zeros(1, 1, 5, 5)
    with pytest.raises(LayerNotFound, match="conv1"):
        effective_field(network, "conv1", picture)
    with pytest.raises(NotOneTensor, match="tuple"):
        effective_field(network, "1", picture)
    with pytest.raises(BadValue, match="0 to 2"):
        effective_field(network, "0", picture, position=(3, 0))
    with pytest.raises(BadValue, match="share"):
        effective_field(network, "0", picture).radius(0)


def test_network_and_pictures_are_left_as_they_were() -> None:
    network = zoo.build("resnet20", channels=1).train()
    network.features.stem.eval()
    before = copy.deepcopy(network.state_dict())
    modes = [module.training for module in network.modules()]
    pictures = torch.randn(2, 1, 28, 28)
    for layer in ("features.stage2", "nothing"):
        with suppress(LayerNotFound):
            effective_field(network, layer, pictures)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in before.items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())
    assert pictures.grad is None
    assert not pictures.requires_grad


def test_a_residual_network_looks_at_less_than_it_could() -> None:
    torch.manual_seed(0)
    network = zoo.build("resnet20", channels=1, size=28)
    pictures = torch.randn(4, 1, 28, 28)
    field = layer_fields(record(network, (1, 28, 28)))["features.stage1", 0]
    found = effective_field(network, "features.stage1", pictures)
    assert within(found.support, field.box(*found.position))
    assert field.size == (15, 15)
    assert found.side() < 15
