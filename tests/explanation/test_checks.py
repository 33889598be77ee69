"""The checks find out a map that has nothing to do with the network, and prefer the one that knows where the class is decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from wiesel.explanation import Explanation, explain, faithfulness, sanity
from wiesel.explanation.faithfulness import Curve, blurred, ranks
from wiesel.explanation.sanity import rank_correlation, scrambled, weighted_layers


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 3),
        )


@pytest.fixture
def picture() -> Tensor:
    return torch.randn(1, 1, 12, 12, generator=torch.Generator().manual_seed(5))


def edges(network: nn.Module, picture: Tensor) -> Explanation:
    """Looks like an explanation and asks nothing of the network."""
    found = explain(network, picture, 0)
    strength = np.abs(np.diff(picture[0, 0].numpy(), axis=1, prepend=0)).astype(np.float32)
    return replace(found, raw=strength, picture=strength)


def test_a_map_that_ignores_the_weights_does_not_pass(network: nn.Module, picture: Tensor) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    blind = sanity(network, lambda changed: edges(changed, picture), cascading=True)
    assert blind.correlation == pytest.approx(1)
    assert not blind.passed
    honest = sanity(network, lambda changed: explain(changed, picture, 0, method="hirescam"), seeds=5, cascading=True)
    assert honest.passed
    assert abs(honest.correlation) < 0.5
    assert [step.layer for step in honest.cascading] == ["6", "2", "0"]  # from the last to the first
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_scrambled_weights_are_the_same_numbers_in_another_order(network: nn.Module) -> None:
    assert weighted_layers(network) == ["0", "2", "6"]
    changed = scrambled(network, ["2"], seed=1)
    for (name, old), new in zip(network.named_parameters(), changed.parameters(), strict=True):
        assert torch.equal(old.flatten().sort().values, new.flatten().sort().values)
        assert torch.equal(old, new) == (not name.startswith("2."))
    assert torch.equal(changed[2].weight, scrambled(network, ["0", "2"], seed=1)[2].weight)  # type: ignore[index]
    assert not torch.equal(changed[2].weight, scrambled(network, ["2"], seed=2)[2].weight)  # type: ignore[index]


def test_rank_correlation_is_scipys() -> None:
    draw = np.random.default_rng(0)
    one, other = draw.integers(0, 5, (4, 6)).astype(np.float32), draw.normal(size=(4, 6))
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert np.isnan(rank_correlation(one, np.zeros((4, 6))))


class Corner(nn.Module):
    """The class is decided by nothing but the four pixels of the upper left corner."""

    def forward(self, x: Tensor) -> Tensor:
        score = 3 * x[:, 0, :2, :2].sum((1, 2))
        return torch.stack([score, torch.zeros_like(score)], 1)


def test_deletion_and_insertion_know_the_pixels_that_decide() -> None:
    network, picture = Corner(), torch.ones(1, 1, 6, 6)
    good = explain(network, picture, 0, method="occlusion", window=1, stride=1)
    assert np.flatnonzero(good.raw).tolist() == [0, 1, 6, 7]
    right = faithfulness(network, picture, good, steps=36, blur=0)
    wrong = faithfulness(network, picture, replace(good, raw=-good.raw, picture=-good.picture), steps=36, blur=0)
    p = [1 / (1 + np.exp(-3.0 * n)) for n in (4, 3, 2, 1, 0)]
    by_hand = (sum(p) - p[0] / 2 - p[-1] / 2 + 32 * 0.5) / 36  # four strokes down to one half, then level
    assert right.deletion.area == pytest.approx(by_hand)
    assert right.deletion.shares[:2] == (0, 1 / 36)
    late = (32 * p[0] + sum(p) - p[0] / 2 - p[-1] / 2) / 36
    assert wrong.deletion.area == pytest.approx(late)
    assert right.deletion.area < right.random_deletion < wrong.deletion.area
    # Blurred with 0 pixels the picture is itself, so there is nothing to insert; a picture on a dark ground shows insertion:
    spot = torch.zeros(1, 1, 6, 6)
    spot[..., :2, :2] = 1
    known = explain(network, spot, 0, method="occlusion", window=1, stride=1)
    found, turned = (faithfulness(network, spot, one, blur=2.0) for one in (known, replace(known, picture=-known.picture)))
    assert found.insertion.area > found.random_insertion > turned.insertion.area


def test_the_area_is_taken_by_trapezoids() -> None:
    assert Curve((0.0, 0.5, 1.0), (1.0, 0.0, 0.0)).area == pytest.approx(0.25)


def test_pixels_of_the_same_value_go_in_the_order_of_rows() -> None:
    assert ranks(np.array([[0.0, 2.0], [2.0, -1.0]])).tolist() == [[2, 0], [1, 3]]


def test_blurring_keeps_a_flat_picture_and_the_mean_of_a_spot() -> None:
    torch.testing.assert_close(blurred(torch.full((1, 3, 7, 7), 2.0), 1.5), torch.full((1, 3, 7, 7), 2.0))
    spot = torch.zeros(1, 1, 21, 21)
    spot[..., 10, 10] = 1
    soft = blurred(spot, 2.0)
    assert float(soft.sum()) == pytest.approx(1)
    assert float(soft[0, 0, 10, 12] / soft[0, 0, 10, 10]) == pytest.approx(np.exp(-0.5), rel=1e-4)
