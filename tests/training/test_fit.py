from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
from typing import Any

import pytest
import torch

from tests.training.conftest import MACHINE, recipe
from wiesel.batches import Preprocessing
from wiesel.errors import NotFinite
from wiesel.images import DataSet
from wiesel.recipe import NetworkOptions
from wiesel.runs import checkpoints, events
from wiesel.runs.folder import RunFolder
from wiesel.training.fit import fit, fresh_network, resolution_of
from wiesel.training.progress import Silent
from wiesel.zoo.wiesel import whitening_filters


def weights_of(run: RunFolder) -> str:
    newest = checkpoints.newest(run)
    assert newest is not None
    return hashlib.sha256(b"".join(t.numpy().tobytes() for _, t in sorted(newest.model().items()))).hexdigest()


def metrics_of(run: RunFolder) -> list[dict[str, Any]]:
    clock = ("time", "seconds")
    rows = [row for row in events.effective(run.history()) if row["kind"] in ("train", "epoch")]
    return [{key: value for key, value in row.items() if key not in clock} for row in rows]


class SignalAt(Silent):
    """Sends this process a signal after a number of steps, or while an epoch is validated."""

    def __init__(self, step: int, number: int = signal.SIGINT) -> None:
        self.at, self.number = step, number

    def step(self, step: int) -> None:
        if step == self.at:
            os.kill(os.getpid(), self.number)


def test_training_learns_and_keeps_the_best_epoch(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = recipe(epochs=6)
    run = new_run("learns", decisions, data)
    outcome = fit(decisions, data, preprocessing, run, MACHINE)
    rows = [row for row in run.history() if row["kind"] == "epoch"]
    assert outcome.finished
    assert len(rows) == 6
    assert outcome.position.best is not None
    assert outcome.position.best.accuracy == max(row["validation_accuracy"] for row in rows) > 0.8
    assert (
        checkpoints.at(run, outcome.position.best.step).model().keys()
        == fresh_network(decisions, classes=4, image=preprocessing.image).state_dict().keys()
    )


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        decisions = dataclasses.replace(recipe(epochs=1), seed=seed)
        run = new_run(name, decisions, data)
        fit(decisions, data, preprocessing, run, MACHINE)
        found.append((weights_of(run), metrics_of(run)))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]


@pytest.mark.parametrize("settings", [{}, {"ema": 0.9}, {"optimiser": "adamw", "rate": 0.003}], ids=["sgd", "ema", "adamw"])
@pytest.mark.parametrize("stops", [(4,), (9, 12), (27,)], ids=["mid-epoch", "epoch's end, then mid-epoch", "last step"])
def test_an_interrupted_run_ends_bit_identical(
    stops: tuple[int, ...], settings: dict[str, Any], data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    decisions = recipe(**settings)  # 140 pictures, batches of 16: 9 steps an epoch, 27 in all
    whole = new_run("whole", decisions, data)
    fit(decisions, data, preprocessing, whole, MACHINE)
    run = new_run("broken", decisions, data)
    for number, stop in enumerate(stops):
        resume = checkpoints.resume(run) if number else None
        outcome = fit(decisions, data, preprocessing, run, MACHINE, resume=resume, progress=SignalAt(stop))
        assert outcome.signal == signal.SIGINT
        assert not outcome.finished
        assert outcome.position.step == stop
    outcome = fit(decisions, data, preprocessing, run, MACHINE, resume=checkpoints.resume(run))
    assert outcome.finished
    assert weights_of(run) == weights_of(whole)
    assert metrics_of(run) == metrics_of(whole)


def test_stochastic_depth_draws_the_same_blocks_after_an_interruption(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    plain = recipe(epochs=1)
    decisions = dataclasses.replace(plain, architecture="efficientnet_b0", network=NetworkOptions(survival=0.5))
    whole, broken, always = (new_run(name, decisions, data) for name in ("whole", "broken", "always"))
    fit(decisions, data, preprocessing, whole, MACHINE)
    fit(decisions, data, preprocessing, broken, MACHINE, progress=SignalAt(4))
    fit(decisions, data, preprocessing, broken, MACHINE, resume=checkpoints.resume(broken))
    assert weights_of(broken) == weights_of(whole)
    fit(dataclasses.replace(decisions, network=NetworkOptions()), data, preprocessing, always, MACHINE)
    assert weights_of(always) != weights_of(whole)


def test_our_network_is_whitened_once_and_its_muon_run_ends_bit_identical_after_an_interruption(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    plain = recipe(optimiser="muon", rate=0.2, epochs=2)
    decisions = dataclasses.replace(
        plain, architecture="wiesel_s", augmentation=dataclasses.replace(plain.augmentation, flip=True, alternate=True)
    )
    whole, broken = (new_run(name, decisions, data) for name in ("whole", "broken"))
    fit(decisions, data, preprocessing, whole, MACHINE)
    fit(decisions, data, preprocessing, broken, MACHINE, progress=SignalAt(11))
    fit(decisions, data, preprocessing, broken, MACHINE, resume=checkpoints.resume(broken))
    assert weights_of(broken) == weights_of(whole)
    pixels = preprocessing.normalise(torch.from_numpy(data.train.pixels))
    kept = checkpoints.resume(whole).model()["features.stem.whitening.weight"]
    assert torch.equal(kept, whitening_filters(pixels, 2))


def test_sigterm_is_told_apart(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = recipe()
    before = signal.getsignal(signal.SIGTERM)
    outcome = fit(decisions, data, preprocessing, new_run("t", decisions, data), MACHINE, progress=SignalAt(2, signal.SIGTERM))
    assert outcome.signal == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_gradient_that_is_no_number_stops_before_the_optimiser_step(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    broken = dataclasses.replace(preprocessing, std=(float("nan"),))
    decisions = recipe()
    run = new_run("nan", decisions, data)
    with pytest.raises(NotFinite, match=r"Step 1 .* in layer input"):
        fit(decisions, data, broken, run, MACHINE)
    assert checkpoints.newest(run) is None
    row = run.history()[-1]
    assert row["kind"] == "not_finite"
    assert len(row["ids"]) == 16


def test_a_rate_beyond_reason_names_a_layer(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = recipe(rate=1e30, schedule="constant", momentum=0.0)
    with pytest.raises(NotFinite) as caught:
        fit(decisions, data, preprocessing, new_run("hot", decisions, data), MACHINE)
    assert caught.value.step <= 5
    network = fresh_network(decisions, classes=4, image=preprocessing.image)
    names = {name for name, _ in network.named_modules()} | {name for name, _ in network.named_parameters()}
    assert caught.value.layer.removeprefix("gradient of ") in names | {"loss"}


def test_patience_ends_a_run_that_gains_nothing(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = recipe(epochs=20, rate=1e-12, patience=2)
    run = new_run("patient", decisions, data)
    fit(decisions, data, preprocessing, run, MACHINE)
    assert len([row for row in run.history() if row["kind"] == "epoch"]) == 3


def test_torchs_global_generator_is_left_alone(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    decisions = recipe(epochs=1)
    fit(decisions, data, preprocessing, new_run("rng", decisions, data), MACHINE)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bf16_trains_as_well(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = recipe(epochs=1)
    outcome = fit(decisions, data, preprocessing, new_run("bf16", decisions, data), dataclasses.replace(MACHINE, precision="bf16"))
    assert outcome.finished


def test_resolutions_cover_their_share_of_the_epochs() -> None:
    training = recipe(epochs=5, resolutions=((0.4, 8), (0.4, 10))).training
    assert [resolution_of(epoch, training) for epoch in range(5)] == [8, 8, 10, 10, 0]
