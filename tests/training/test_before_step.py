"""Somebody looks at the network before each step, and nothing comes out otherwise."""

from __future__ import annotations

from typing import Any

import torch

from tests.training.conftest import MACHINE, recipe
from tests.training.test_fit import SignalAt, metrics_of, weights_of
from wiesel.batches import Preprocessing
from wiesel.images import DataSet
from wiesel.jobs.gradient_flow import noted, noting
from wiesel.runs import checkpoints
from wiesel.training.fit import fit


def test_noting_the_gradient_flow_changes_no_bit_of_a_run_and_is_resumed_with_it(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    decisions = recipe(epochs=1)  # 9 steps
    plain, watched, stopped = (new_run(name, decisions, data) for name in ("plain", "watched", "stopped"))
    fit(decisions, data, preprocessing, plain, MACHINE)
    fit(decisions, data, preprocessing, watched, MACHINE, before_step=noting(watched, 3))
    assert weights_of(watched) == weights_of(plain)
    assert metrics_of(watched) == metrics_of(plain)

    fit(decisions, data, preprocessing, stopped, MACHINE, progress=SignalAt(4), before_step=noting(stopped, 3))
    resume = checkpoints.newest(stopped)
    fit(decisions, data, preprocessing, stopped, MACHINE, resume=resume, before_step=noting(stopped, 3))
    assert weights_of(stopped) == weights_of(plain)

    history = noted(watched)
    assert [step for step, _ in history] == [0, 3, 6]
    assert noted(stopped) == history
    first, last = history[0][1], history[-1][1]
    assert first.layers[0].name == last.layers[0].name
    assert first.layers[0].gradient != last.layers[0].gradient
    assert torch.tensor(first.loss).isfinite()


def test_nothing_is_noted_unless_it_is_asked_for(new_run: Any, data: DataSet) -> None:
    assert noting(new_run("off", recipe(), data), 0) is None
