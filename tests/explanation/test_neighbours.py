"""Neighbours in feature space against NumPy and by hand."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from wiesel import zoo
from wiesel.explanation.neighbours import features_of, nearest, prototypes


def test_features_are_what_goes_into_the_last_layer() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5), nn.ReLU(), nn.Linear(5, 3)).train()
    pictures = torch.randn(4, 1, 8, 8)
    expected = nn.functional.normalize(network[:5](pictures), dim=1)
    torch.testing.assert_close(features_of(network, [pictures[:3], pictures[3:]]), expected)
    assert network.training
    assert not any(layer._forward_pre_hooks for layer in network.modules())


def test_a_last_convolution_is_averaged_over_places() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    pictures = torch.randn(2, 1, 6, 6)
    expected = nn.functional.normalize(network[0](pictures).mean(dim=(2, 3)), dim=1)
    torch.testing.assert_close(features_of(network, [pictures]), expected)


def test_a_network_of_the_zoo() -> None:
    found = features_of(zoo.build("resnet20", classes=3, channels=1, size=12), [torch.randn(2, 1, 12, 12)])
    assert found.shape == (2, 64)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


def test_nearest_is_what_sorting_gives() -> None:
    rng = np.random.default_rng(0)
    known, queries = (nn.functional.normalize(torch.from_numpy(rng.normal(size=(n, 8)))) for n in (20, 3))
    cosines, rows = nearest(queries, known, 5)
    every = queries.numpy() @ known.numpy().T
    assert np.array_equal(rows.numpy(), np.argsort(-every, axis=1)[:, :5])
    assert (np.diff(cosines.numpy(), axis=1) <= 0).all()
    assert nearest(queries, known, 50)[1].shape == (3, 20)


def test_prototypes_are_nearest_to_the_mean_of_their_class() -> None:
    angles = torch.tensor([0.0, 0.1, 0.5, 2.0, 2.1])
    features = torch.stack([angles.cos(), angles.sin()], dim=1)
    found = prototypes(features, torch.tensor([0, 0, 0, 2, 2]), 3, 2)
    assert [[row for row, _ in rows] for rows in found] == [[1, 0], [], [3, 4]] or [row for row, _ in found[2]] == [4, 3]
    assert [row for row, _ in found[0]] == [1, 0]  # the mean lies at about 0.2
    assert found[1] == []
