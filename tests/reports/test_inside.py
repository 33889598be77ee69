"""What is said of maps and filters is what the network computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.reports.test_pictures import levels
from wiesel import zoo
from wiesel.analysis import stages
from wiesel.reports.inside import first_filters, layer_maps, maps_of, some_of, walk_layers
from wiesel.reports.pictures import DIVERGING, SEQUENTIAL


def test_ranking_ranges_zeros_dead_and_constant_maps_by_hand() -> None:
    values = np.zeros((4, 2, 2))
    values[1] = [[0, 1], [2, 3]]
    values[2] = 0.5
    values[3] = [[0, 0], [0, 8]]
    found = maps_of("layer", values)
    assert [(m.channel, m.mean_absolute) for m in found.maps] == [(3, 2.0), (1, 1.5), (2, 0.5), (0, 0.0)]
    assert (found.low, found.high, found.dead, found.constant, found.hidden, found.signed) == (0.0, 8.0, 1, 1, 0, False)
    assert found.zeros == pytest.approx((4 + 1 + 3) / 16)
    assert [m.zeros for m in found.maps] == [0.75, 0.25, 0.0, 1.0]
    # One scale for the layer: 8 is its end, so 3 lies at three eighths of it.
    assert levels(found.maps[1].png, SEQUENTIAL).tolist() == [[0, 32], [64, 95]]


def test_layers_with_negative_values_get_a_scale_with_zero_in_the_middle() -> None:
    found = maps_of("layer", np.array([[[-4.0, 0.0], [2.0, 1.0]]]))
    assert (found.signed, found.limit) == (True, 4.0)
    assert levels(found.maps[0].png, DIVERGING)[0].tolist() == [0, 127]


def test_only_the_twelve_strongest_are_shown_and_the_rest_counted() -> None:
    found = maps_of("layer", np.arange(64.0)[:, None, None] * np.ones((64, 3, 3)))
    assert [m.channel for m in found.maps] == list(range(63, 51, -1))
    assert found.hidden == 52


def test_maps_come_from_the_network_in_order_and_are_copies() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 2, 3, padding=1)
            self.second = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(self.first(x))

    network = InPlace()
    picture = torch.randn(1, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    first, second = layer_maps(network, picture, ["second", "first"])
    with torch.no_grad():
        expected = nn.functional.conv2d(picture, network.first.weight, network.first.bias, padding=1)[0]
    assert (first.layer, second.layer) == ("first", "second")
    assert (first.low, first.high) == pytest.approx((expected.min().item(), expected.max().item()))
    assert first.low < 0 == second.low


def test_residual_networks_show_stem_and_blocks_others_their_stages() -> None:
    resnet = walk_layers(stages(zoo.build("resnet18"), (1, 28, 28)))
    assert resnet == ["features.stem", *(f"features.stage{s}.block{b}" for s in (1, 2, 3, 4) for b in (1, 2))]
    assert walk_layers(stages(zoo.build("simple_cnn"), (1, 28, 28))) == ["features.stage1", "features.stage2"]


def test_of_many_layers_first_and_last_are_kept() -> None:
    names = [str(i) for i in range(55)]
    chosen = some_of(names, 16)
    assert len(set(chosen)) == 16
    assert (chosen[0], chosen[-1]) == ("0", "54")
    assert some_of(names[:5], 16) == names[:5]


def test_large_maps_are_reduced_for_display_but_measured_whole() -> None:
    values = np.zeros((1, 112, 112))
    values[0, 0, 0] = 7.0
    found = maps_of("layer", values)
    assert (found.reduced_to, found.high) == (56, 7.0)
    assert levels(found.maps[0].png, SEQUENTIAL).shape == (56, 56)


def test_filters_are_those_of_the_first_convolution_on_one_signed_scale() -> None:
    network = zoo.build("lenet5", channels=3, size=32)
    weights = next(m for m in network.modules() if isinstance(m, nn.Conv2d)).weight.detach().numpy()
    found = first_filters(network)
    assert found is not None
    assert found.shape == weights.shape
    assert (found.low, found.high) == (float(weights.min()), float(weights.max()))
    for one in found.filters:
        assert one.norm == pytest.approx(np.linalg.norm(weights[one.index]))
        for plane, png in zip(weights[one.index], one.planes, strict=True):
            back = (levels(png, DIVERGING) - 127) / 127 * found.limit
            assert np.abs(back - plane).max() <= found.limit / 127
    assert first_filters(nn.Sequential(nn.Linear(2, 2))) is None
