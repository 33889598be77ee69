"""What the last layer sees, and what dropout says about it."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.batches import EvaluationBatches, measure
from wiesel.errors import BadValue, NoDropout, NoFeatures
from wiesel.images import from_arrays
from wiesel.uncertainty import dropout
from wiesel.uncertainty.features import Features, features_of, kept
from wiesel.zoo.network import Network


@pytest.fixture(scope="module")
def pictures() -> EvaluationBatches:
    pixels = np.random.default_rng(0).integers(0, 255, (7, 12, 12, 1), dtype=np.uint8)
    return EvaluationBatches(from_arrays(pixels, np.arange(7) % 3), measure(pixels), batch=4)


def dropping(rate: float) -> Network:
    """A small network with batch norm in its body and dropout in its head."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        body = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 8, 3), norm=nn.BatchNorm2d(8), relu=nn.ReLU()))
        head = nn.Sequential(
            OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(rate), linear=nn.Linear(8, 3))
        )
        return Network(body, head)


@pytest.mark.parametrize("name", ["simple_cnn", "lenet5"])
def test_the_last_layer_makes_the_answer_from_the_features(name: str, pictures: EvaluationBatches) -> None:
    network = zoo.build(name, classes=3, channels=1, size=12 if name == "simple_cnn" else 32)
    if name == "lenet5":
        pixels = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 1), dtype=np.uint8)
        pictures = EvaluationBatches(from_arrays(pixels, np.zeros(5, np.int64)), measure(pixels), batch=4)
    network.train()
    found = features_of(network, pictures)
    layer = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        again = layer(torch.from_numpy(found.values))
    torch.testing.assert_close(again, torch.from_numpy(found.logits))
    assert len(found) == len(pictures.labels)
    assert all(module.training and not module._forward_hooks for module in network.modules())


def test_a_network_that_ends_otherwise_is_refused(pictures: EvaluationBatches) -> None:
    ends_in_relu = nn.Sequential(nn.Flatten(), nn.Linear(144, 3), nn.ReLU())
    nn.init.ones_(ends_in_relu[1].bias)  # of a black picture the ReLU cuts nothing off
    with pytest.raises(NoFeatures):
        features_of(ends_in_relu, pictures)


def test_features_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path))
    made: list[int] = []

    def make() -> Features:
        made.append(1)
        return Features(np.ones((2, 3), np.float32), np.zeros((2, 2), np.float32))

    for _ in range(2):
        np.testing.assert_array_equal(kept(("a",), make).values, np.ones((2, 3)))
    assert len(made) == 1
    kept(("b",), make)
    assert len(made) == 2
    for path in (tmp_path / "features").iterdir():
        path.write_bytes(b"cut")
    assert len(kept(("a",), make)) == 2
    assert len(made) == 3


def test_only_dropout_is_at_work(pictures: EvaluationBatches) -> None:
    network = dropping(0.5)
    network.train()
    network.features.conv.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    chance = torch.random.get_rng_state()
    answer = dropout.passes(network, pictures, samples=20)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())  # batch norm counted nothing
    assert torch.equal(torch.random.get_rng_state(), chance)
    assert [network.training, network.features.conv.training, network.head.dropout.training] == [True, False, True]
    np.testing.assert_array_equal(dropout.passes(network, pictures, samples=20).entropy, answer.entropy)
    assert answer.probabilities.shape == (7, 3)
    assert answer.information is not None
    assert (answer.information > 0).all()
    assert (answer.information < answer.entropy).all()


def test_passes_agree_with_dropout_by_hand(pictures: EvaluationBatches) -> None:
    network = dropping(0.4)
    found = features_of(network, pictures)
    linear = network.head.linear
    by_hand = dropout.before_head(found.values, linear.weight.detach(), linear.bias.detach(), rate=0.4, samples=4000)
    through = dropout.passes(network, pictures, samples=4000)
    np.testing.assert_allclose(by_hand.probabilities, through.probabilities, atol=0.01)
    assert by_hand.information is not None
    assert through.information is not None
    np.testing.assert_allclose(by_hand.information, through.information, atol=0.005)


def test_a_network_without_dropout_is_told_so(pictures: EvaluationBatches) -> None:
    with pytest.raises(NoDropout):
        dropout.passes(dropping(0.0), pictures)
    with pytest.raises(BadValue, match="samples"):
        dropout.passes(dropping(0.5), pictures, samples=1)
    with pytest.raises(BadValue, match="rate"):
        dropout.before_head(np.ones((1, 2)), np.ones((3, 2)), np.zeros(3), rate=1.0)
