"""Several processes train as one does. Here the second comes out of a server that has everything loaded, which saves it the start; how
they are started and ended is tested in tests/jobs/test_hard_conditions.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.conftest import MACHINE, recipe
from wiesel.batches import Batch, Preprocessing, TrainingBatches
from wiesel.errors import BadValue, NotFinite
from wiesel.images import DataSet
from wiesel.recipe import Augmentation, Recipe
from wiesel.runs import checkpoints, events
from wiesel.runs.folder import RunFolder
from wiesel.training.classifier import Classifier, balanced_weights
from wiesel.training.fit import Outcome, fit, fresh_network
from wiesel.training.helper import help_to_fit
from wiesel.training.team import Team

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork server")

PAIR = dataclasses.replace(MACHINE, processes=2)


def help_out(decisions: Recipe, data: DataSet, preprocessing: Preprocessing, meeting: Path, resumed: Path | None) -> None:
    newest = checkpoints.resume(RunFolder.open(resumed)) if resumed is not None else None
    given = {} if newest is None else {"state": newest.state(), "optimizer": newest.optimizer()}
    with contextlib.suppress(RuntimeError):  # the leader left earlier
        help_to_fit(decisions, data, preprocessing, PAIR, Team(meeting, 1, 2), **given)


def fit_in_two(
    decisions: Recipe, data: DataSet, preprocessing: Preprocessing, run: RunFolder, meeting: Path, **more: Any
) -> Outcome:
    """The leader in this process, a helper in another."""
    # Not a fork of this process: PyTorch's threads would leave their locks behind in it, held for ever.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wiesel.training.helper"])
    resumed = run.path if "resume" in more else None
    helper = context.Process(target=help_out, args=(decisions, data, preprocessing, meeting, resumed), daemon=True)
    helper.start()
    try:
        return fit(decisions, data, preprocessing, run, PAIR, team=Team(meeting, 0, 2), **more)
    finally:
        helper.kill()
        helper.join()


def batches(data: DataSet, preprocessing: Preprocessing, share: tuple[int, int], batch: int = 16) -> TrainingBatches:
    return TrainingBatches(
        data.train, preprocessing, batch=batch, seed=3, augmentation=Augmentation(flip=True, shift=2), share=share
    )


@pytest.mark.parametrize("processes", [2, 3])
def test_the_shares_of_a_step_make_the_batch_of_one_process(processes: int, data: DataSet, preprocessing: Preprocessing) -> None:
    whole = list(batches(data, preprocessing, (0, 1)).epoch(1))
    shares = [list(batches(data, preprocessing, (rank, processes)).epoch(1)) for rank in range(processes)]
    assert len(whole) == 9  # 140 pictures: 8 batches of 16, and 12
    for step, batch in enumerate(whole):
        parts = [share[step] for share in shares]
        assert torch.equal(torch.cat([part.ids for part in parts]), batch.ids)
        assert torch.equal(torch.cat([part.pictures for part in parts]), batch.pictures)
        assert all(part.of is not None and torch.equal(part.of, batch.labels) for part in parts)
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1


def test_a_rest_that_is_too_small_to_share_is_learned_by_everybody(data: DataSet, preprocessing: Preprocessing) -> None:
    last = [list(batches(data, preprocessing, (rank, 2), batch=137).epoch(0))[-1] for rank in (0, 1)]
    assert [len(batch) for batch in last] == [3, 3]  # 140 = 137 + 3
    assert [batch.copies for batch in last] == [2, 2]
    assert torch.equal(last[0].ids, last[1].ids)


@pytest.mark.parametrize("balanced", [False, True], ids=["plain", "balanced"])
@pytest.mark.parametrize("size", [16, 15, 3], ids=["even", "uneven", "too small to share"])
def test_the_weighted_gradients_of_the_shares_add_up_to_that_of_the_batch(
    size: int, balanced: bool, data: DataSet, preprocessing: Preprocessing
) -> None:
    uneven = dataclasses.replace(data.train, labels=np.minimum(data.train.labels, np.arange(len(data.train)) % 3))
    rare = dataclasses.replace(data, train=uneven)
    decisions = recipe(batch=16)
    network = fresh_network(decisions, classes=4, image=preprocessing.image).double()
    weights = balanced_weights(torch.from_numpy(uneven.labels), 4).double() if balanced else None
    classifier = Classifier(network, decisions, steps=9, class_weights=weights)

    def gradients(batch: Batch) -> torch.Tensor:
        network.zero_grad()
        loss = nn.functional.cross_entropy(network(batch.pictures.double()), batch.labels, weights, label_smoothing=0.1)
        (loss if batch.of is None else loss * classifier._weight(batch)).backward()  # type: ignore[no-untyped-call]
        return torch.cat([p.grad.reshape(-1) for p in network.parameters() if p.grad is not None])

    whole = gradients(next(batches(rare, preprocessing, (0, 1), size).epoch(0)))
    for processes in (2, 3):
        shares = [next(batches(rare, preprocessing, (rank, processes), size).epoch(0)) for rank in range(processes)]
        torch.testing.assert_close(sum(map(gradients, shares)), whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [{}, {"ema": 0.9, "optimiser": "adamw", "rate": 0.003, "class_weights": "balanced"}, {"batch": 46}],
    ids=["sgd", "adamw, average, balanced", "last batch of 2"],
)
def test_without_batch_norm_two_processes_find_what_one_finds(
    settings: dict[str, Any], data: DataSet, preprocessing: Preprocessing, new_run: Any, tmp_path: Path
) -> None:
    decisions = recipe(**{"epochs": 2, **settings})
    alone, both = new_run("alone", decisions, data), new_run("both", decisions, data)
    fit(decisions, data, preprocessing, alone, MACHINE)
    outcome = fit_in_two(decisions, data, preprocessing, both, tmp_path / "meeting")
    assert outcome.finished
    expected = checkpoints.at(alone, outcome.position.step).model()
    found = checkpoints.at(both, outcome.position.step).model()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-5)
    for ours, theirs in zip(rows_of(both), rows_of(alone), strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            assert ours[key] == (pytest.approx(value, rel=1e-3, abs=0.02) if isinstance(value, float) else value)


def rows_of(run: RunFolder) -> list[dict[str, Any]]:
    rows = [row for row in events.effective(run.history()) if row["kind"] in ("train", "epoch")]
    return [{key: value for key, value in row.items() if key not in ("time", "seconds", "best")} for row in rows]


def test_two_processes_interrupted_end_as_if_they_were_not(
    data: DataSet, preprocessing: Preprocessing, new_run: Any, tmp_path: Path
) -> None:
    from tests.training.test_fit import SignalAt, metrics_of, weights_of

    plain = recipe(optimiser="muon", rate=0.2, epochs=2)
    decisions = dataclasses.replace(plain, architecture="wiesel_s")  # batch norms and a stem that is computed
    whole, broken = new_run("whole", decisions, data), new_run("broken", decisions, data)
    fit_in_two(decisions, data, preprocessing, whole, tmp_path / "first")
    stopped = fit_in_two(decisions, data, preprocessing, broken, tmp_path / "second", progress=SignalAt(11))
    assert (stopped.finished, stopped.position.step) == (False, 11)
    fit_in_two(decisions, data, preprocessing, broken, tmp_path / "third", resume=checkpoints.resume(broken))
    assert weights_of(broken) == weights_of(whole)
    assert metrics_of(broken) == metrics_of(whole)


def test_numbers_that_are_none_in_one_share_stop_all_and_the_whole_batch_is_named(
    data: DataSet, preprocessing: Preprocessing, new_run: Any, tmp_path: Path
) -> None:
    decisions = recipe()
    run = new_run("nan", decisions, data)
    with pytest.raises(NotFinite, match=r"Step 1 .* in layer input"):
        fit_in_two(decisions, data, dataclasses.replace(preprocessing, std=(float("nan"),)), run, tmp_path / "meeting")
    row = next(row for row in run.history() if row["kind"] == "not_finite")
    assert len(row["ids"]) == 16


def test_gradients_that_only_one_has_reach_both(tmp_path: Path) -> None:
    networks = [nn.ModuleList([nn.Linear(2, 1, bias=False) for _ in range(3)]) for _ in range(2)]
    networks[0][0].weight.grad = torch.tensor([[1.0, 2.0]])
    networks[1][0].weight.grad = torch.tensor([[10.0, 20.0]])
    networks[1][1].weight.grad = torch.tensor([[5.0, 6.0]])
    sums: dict[int, torch.Tensor] = {}

    def work(rank: int) -> None:
        sums[rank] = Team(tmp_path / "meeting", rank, 2).share_gradients(networks[rank], torch.tensor([rank + 1.0]))

    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for network in networks:
        assert network[0].weight.grad.tolist() == [[11.0, 22.0]]
        assert network[1].weight.grad.tolist() == [[5.0, 6.0]]
        assert network[2].weight.grad is None
    assert [float(sums[rank]) for rank in (0, 1)] == [3.0, 3.0]


@pytest.mark.parametrize("wrong", [{"processes": 0}, {"processes": 3, "batch": 5}])
def test_every_process_needs_two_pictures(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        recipe(**wrong)
