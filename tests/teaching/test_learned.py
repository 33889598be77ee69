"""The first layer's filters beside the classics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wiesel.errors import BadValue, NotARun
from wiesel.teaching import learned_filters
from wiesel.teaching.kernels import CLASSIC, classics
from wiesel.teaching.learned import chance_level, compared, first_convolution, nearest


def layer_of(*names: str, channels: int = 1) -> nn.Module:
    conv = nn.Conv2d(channels, len(names), 3)
    with torch.no_grad():
        for weight, name in zip(conv.weight, names, strict=True):
            weight.copy_(torch.from_numpy(CLASSIC[name].copy()).float().expand(channels, 3, 3))
    return nn.Sequential(nn.Identity(), nn.Sequential(conv, nn.ReLU()), nn.Conv2d(len(names), 2, 1))


@pytest.mark.parametrize("name", CLASSIC)
def test_a_classic_filter_is_its_own_nearest_and_its_negative_has_cosine_minus_one(name: str) -> None:
    found, cosine = nearest(-2.5 * CLASSIC[name], classics(3, 3))
    assert (found, round(cosine, 9)) == (name, -1)


def test_the_first_convolution_is_found_and_its_filters_named() -> None:
    network = layer_of("sobel_x", "gaussian", "edge")
    name, weights = first_convolution(network)
    assert (name, weights.shape) == ("1.0", (3, 1, 3, 3))
    found = compared(weights)
    assert [(one.nearest, round(one.cosine, 5), one.kind) for one in found] == [
        ("sobel_x", 1, "band-pass"),
        ("gaussian", 1, "low-pass"),
        ("edge", 1, "high-pass"),
    ]
    sheet = learned_filters(network, language="en")
    assert "Closer to a classic filter than 95 % of random ones: 3 of 3 (" in sheet.alt_text
    assert "1: Sobel X 1.00" in {axes.get_title(loc="left") for axes in sheet.axes}


def test_filters_for_colour_are_called_so_and_grey_ones_over_three_channels_are_whole() -> None:
    weights = np.zeros((2, 3, 3, 3))
    weights[0] = CLASSIC["sobel_y"]
    weights[1, 0], weights[1, 1] = CLASSIC["gaussian"], -CLASSIC["gaussian"]
    grey, colour = compared(weights)
    assert grey.grey_share == pytest.approx(1)
    assert grey.nearest == "sobel_y"
    assert colour.grey_share == 0
    assert colour.cosine == 0


def test_the_chance_level_is_what_random_filters_reach() -> None:
    bank = [classic / np.linalg.norm(classic) for classic in CLASSIC.values()]
    random = np.random.default_rng(11).standard_normal((3000, 3, 3))
    best = [max(abs(float((one * classic).sum())) for classic in bank) / float(np.linalg.norm(one)) for one in random]
    assert float(np.mean(np.array(best) < chance_level(3, 3))) == pytest.approx(0.95, abs=0.015)
    assert chance_level(7, 7) < chance_level(5, 5) < chance_level(3, 3)


@pytest.mark.parametrize("size", [1, 2, 4, 5, (3, 7)])
def test_every_kernel_size_has_classics_and_a_figure(size: int | tuple[int, int]) -> None:
    conv = nn.Conv2d(1, 2, size)
    with torch.no_grad():
        conv.weight.copy_(torch.linspace(-1, 1, conv.weight.numel()).view_as(conv.weight))
    bank = classics(*conv.kernel_size)
    assert all(np.isfinite(classic).all() and np.abs(classic).max() > 0 for classic in bank.values())
    assert compared(conv.weight.detach().double().numpy())


def test_only_the_strongest_are_shown_and_the_figure_says_so() -> None:
    conv = nn.Conv2d(1, 5, 3)
    with torch.no_grad():
        conv.weight.copy_(torch.arange(1.0, 6.0).view(5, 1, 1, 1) * torch.from_numpy(CLASSIC["edge"].copy()).float())
    sheet = learned_filters(conv, most=2, language="de")
    titles = [title for axes in sheet.axes if (title := axes.get_title(loc="left"))]
    assert [title.split(":")[0] for title in titles] == ["4", "5"]
    assert "Die 3 schwächsten fehlen" in sheet.get_supxlabel().replace("\n", " ")


def test_a_filter_of_zeros_is_no_error() -> None:
    conv = nn.Conv2d(1, 1, 3)
    nn.init.zeros_(conv.weight)
    assert "zero" in learned_filters(conv, language="en").alt_text


def test_what_has_no_convolution_is_refused() -> None:
    with pytest.raises(BadValue):
        learned_filters(nn.Linear(3, 3))
    with pytest.raises(BadValue):
        learned_filters(42)
    with pytest.raises(BadValue):
        learned_filters(nn.Conv2d(1, 1, 3), most=0)
    with pytest.raises(NotARun):
        learned_filters("no/such/run")
