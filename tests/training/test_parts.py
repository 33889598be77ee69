from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.batches import Batch
from wiesel.batches.order import Use, chance
from wiesel.recipe import NetworkOptions, Recipe, Training
from wiesel.training import progress
from wiesel.training.average import MovingAverage
from wiesel.training.classifier import Classifier, Sums, balanced_weights
from wiesel.training.finite import first_bad_layer, gradients_are_finite
from wiesel.training.optimiser import optimiser_for, parameter_groups
from wiesel.training.position import Best, Position, Window
from wiesel.training.precision import choose
from wiesel.training.progress import Clock, Lines


def test_norms_and_biases_do_not_decay_and_no_parameter_is_forgotten() -> None:
    network = zoo.build("resnet20", classes=10, channels=1, size=16)
    decaying, free = parameter_groups(network, 0.1)
    assert decaying["weight_decay"] == 0.1
    assert free["weight_decay"] == 0.0
    assert all(p.ndim >= 2 for p in decaying["params"])  # type: ignore[attr-defined]
    assert all(p.ndim < 2 for p in free["params"])  # type: ignore[attr-defined]
    assert {*map(id, decaying["params"]), *map(id, free["params"])} == set(map(id, network.parameters()))  # type: ignore[call-overload]


def test_sgd_is_nesterov_and_rates_have_a_default_per_optimiser() -> None:
    network = nn.Linear(2, 2)
    sgd = optimiser_for(network, Training(optimiser="sgd"))
    assert sgd.defaults["nesterov"]
    assert sgd.param_groups[0]["lr"] == 0.05
    assert optimiser_for(network, Training()).param_groups[0]["lr"] == 0.004
    assert optimiser_for(network, Training(rate=0.7)).param_groups[0]["lr"] == 0.7


def test_the_moving_average_follows_by_hand() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = MovingAverage(network, 0.5)
    nn.init.constant_(network.weight, 1.0)
    average.update(network)  # d = min(0.5, 1/10)  ->  0.1 * 0 + 0.9 * 1
    assert average.state["weight"].item() == pytest.approx(0.9)
    average.update(network)  # d = min(0.5, 2/11)  ->  0.9 + (1 - 2/11) * 0.1
    assert average.state["weight"].item() == pytest.approx(0.9 + 0.1 * 9 / 11)


def test_the_losses_of_early_heads_count_a_third() -> None:
    torch.manual_seed(0)
    recipe = Recipe(architecture="googlenet", network=NetworkOptions(auxiliary=True))
    network = zoo.of_recipe(recipe, classes=3, image=(1, 28, 28)).train()
    classifier = Classifier(network, recipe, steps=10)
    classifier.optimizers = lambda: optimiser_for(network, recipe.training)  # type: ignore[assignment, method-assign, misc, return-value]
    batch = Batch(torch.randn(4, 1, 28, 28), torch.tensor([0, 1, 2, 0]), torch.arange(4))
    loss = classifier.training_step(batch, 0)
    torch.manual_seed(int(chance(recipe.seed, 0, Use.DROPOUT).integers(2**63)))
    given = network(batch.pictures)
    assert len(given.auxiliary) == 2
    by_hand = [
        -(0.9 * x.log_softmax(1)[range(4), batch.labels] + 0.1 * x.log_softmax(1).mean(1)).mean()
        for x in (given.logits, *given.auxiliary)
    ]
    torch.testing.assert_close(loss, by_hand[0] + 0.3 * (by_hand[1] + by_hand[2]))


def test_balanced_weights_make_each_class_weigh_the_same() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    weights = balanced_weights(labels, 3)
    assert weights.tolist() == pytest.approx([4 / 9, 4 / 3, 0.0])
    assert weights[labels].reshape(-1)[:3].sum() == pytest.approx(weights[labels][3].item())


def test_sums_are_the_same_with_or_without_a_pause() -> None:
    losses = [torch.tensor(x) for x in (0.1, 0.2, 0.7, 0.3)]
    whole, first, second = Sums(), Sums(), Sums()
    for loss in losses:
        whole.add(loss, torch.tensor(1), 3)
    for loss in losses[:2]:
        first.add(loss, torch.tensor(1), 3)
    second.reset(0, first.read(0))
    for loss in losses[2:]:
        second.add(loss, torch.tensor(1), 3)
    assert second.read(0) == whole.read(0)
    assert whole.read(0).correct == 4
    assert whole.read(0).seen == 12


def test_a_position_survives_json() -> None:
    position = Position(epoch=2, batch=3, step=40, recent=Window(0.1 + 0.2, 7, 9), best=Best(2, 37, 0.875), without_gain=1)
    assert Position.from_json(position.to_json()) == position


def test_the_first_bad_layer_is_named_and_running_statistics_stay() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    before = network[1].running_mean.clone()

    class Explode(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x / 0

    network.insert(2, Explode())
    assert first_bad_layer(network, torch.randn(3, 1, 2, 2)) == "2"
    assert torch.equal(network[1].running_mean, before)


def test_one_infinite_gradient_is_found() -> None:
    network = nn.Linear(3, 2)
    network(torch.randn(4, 3)).sum().backward()
    assert gradients_are_finite(network)
    network.bias.grad[1] = float("inf")  # type: ignore[index]
    assert not gradients_are_finite(network)


def test_precision_is_measured_once_and_remembered(tmp_path) -> None:  # type: ignore[no-untyped-def]
    first = choose(tmp_path / "deep" / "precision.json")
    assert choose(tmp_path / "deep" / "precision.json") == first
    assert first.precision in ("bf16", "fp32")
    (tmp_path / "deep" / "precision.json").write_text("{ not json")
    assert choose(tmp_path / "deep" / "precision.json").precision in ("bf16", "fp32")


@pytest.mark.parametrize(("done", "left"), [(0, 25.0), (5, 22.5), (10, 20.0), (15, 10.0), (20, 0.0)])
def test_the_time_left_knows_that_small_pictures_are_quick(done: int, left: float) -> None:
    clock = Clock()
    clock.begin(steps=20, done=done, work=(1, 4))
    clock.times.extend([0.5, 0.5, 0.5])  # seconds per unit of work: ten steps of one unit, ten of four
    assert clock.left() == pytest.approx(left)


def test_the_time_left_forgets_the_probe_before_the_training() -> None:
    clock = Clock()
    clock.begin(steps=3, done=0)
    clock.times.extend([0.5, 0.5, 0.5])  # seconds per step of a probe
    clock.begin(steps=10, done=0, work=(28 * 28,))
    assert clock.left() is None
    clock.times.extend([0.001, 0.001, 0.001])
    assert clock.left() == pytest.approx(10 * 28 * 28 * 0.001)


def test_the_estimate_is_told_when_the_slow_first_steps_are_over() -> None:
    out = io.StringIO()
    lines = Lines(out)
    lines.begin(steps=1000, done=0, epochs=2)
    for step in range(1, 101):  # far less than three seconds
        lines.step(step)
    assert out.getvalue() == ""


def test_without_a_terminal_there_is_one_line_per_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    now = iter(range(100))  # seconds: one passes with each look at the clock
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: float(next(now))))
    out = io.StringIO()
    lines = Lines(out)
    lines.begin(steps=20, done=0, epochs=2)
    row = {"epoch": 1, "train_loss": 0.51234, "train_accuracy": 0.8, "validation_accuracy": 0.905, "best": True, "seconds": 61.0}
    for step in range(1, 11):
        lines.step(step)
    lines.epoch(row)
    lines.end()
    told = out.getvalue().splitlines()
    assert len(told) == 2
    assert told[0].startswith("20 Schritte, etwa ")
    assert told[1].startswith("Epoche 1/2 * Verlust 0,512  Training 80,0 %  Validierung 90,5 %  1:01  noch ")
