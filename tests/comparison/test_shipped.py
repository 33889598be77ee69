"""The plans that come with wiesel: readable, small, with a large form, and of networks that can be built."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import pytest

from tests.comparison.forking import preloaded
from tests.comparison.test_campaign import pictures
from wiesel import images
from wiesel.comparison import Rules, from_toml, recipe_of, to_toml
from wiesel.comparison.shipped import named, names
from wiesel.images import DataSet
from wiesel.jobs import compare as job
from wiesel.jobs.program import program
from wiesel.recipe import DataChoice

EXPERIMENTS = {
    "activation",
    "batch-norm",
    "initial-weights",
    "kernel-width-depth",
    "label-smoothing",
    "more-epochs",
    "parallel-branch",
    "pooling-epochs",
    "pooling-seconds",
    "residual-depth",
    "simplest",
}


@pytest.fixture(scope="module")
def whole() -> dict[int, DataSet]:
    return {size: images.load("fashion-mnist-sample", size=size) for size in (0, 14)}


def test_every_experiment_of_the_texts_is_there() -> None:
    assert set(names()) == EXPERIMENTS


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_a_plan_asks_in_both_languages_and_has_a_large_form(name: str) -> None:
    short, full = named(name), named(name, full=True)
    assert short.question.en.endswith("?")
    assert short.question.de.endswith("?")
    assert (short.data.source, full.data.source) == ("fashion-mnist-sample", "fashion-mnist")
    assert full.rules.cap == 10 >= short.rules.cap >= 3
    assert (full.arms, full.question, full.budget) == (short.arms, short.question, short.budget)
    assert from_toml(to_toml(short)) == short


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_the_networks_of_a_plan_can_be_built_and_its_short_form_is_small(name: str, whole: dict[int, DataSet]) -> None:
    plan = named(name)
    burdens = job._burdens(plan, whole[plan.data.size])
    assert all(one.parameters > 0 for one in burdens)
    work = 0.0
    for arm, one in zip(plan.arms, burdens, strict=True):
        epochs = recipe_of(plan, arm, 0).training.epochs
        work += 2 * one.macs * (3 * 9_000 + 1_000) * epochs * plan.rules.cap
    # Operations of the whole plan: about ten minutes on two slow cores; up to ten runs of the deep networks take half an hour.
    assert work < (120e12 if name == "residual-depth" else 40e12)


def test_the_two_pooling_plans_differ_in_their_budget_and_share_no_run() -> None:
    epochs, seconds = named("pooling-epochs"), named("pooling-seconds")
    assert dataclasses.replace(seconds, budget="epochs", question=epochs.question, first_seed=0) == epochs
    assert seconds.first_seed >= named("pooling-epochs", full=True).rules.cap


@pytest.mark.slow  # some eighty trainings
def test_every_plan_comes_to_a_verdict_with_a_ridiculous_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pictures(tmp_path / "stripes")
    with tempfile.TemporaryDirectory() as place, preloaded(Path(place), program()) as client:
        monkeypatch.setattr(sys, "executable", str(client))
        for name in names():
            plan = named(name)
            few = dataclasses.replace(
                plan,
                data=DataChoice(source=str(source), size=plan.data.size or 28, validation=30),
                training=dataclasses.replace(plan.training, epochs=1, batch=32),
                rules=Rules(looks=(2,), alphas=(0.05,), cap=2, margin=0.1),
            )
            found = job.compare(plan=few, output=tmp_path / "compare" / name)
            assert found.page.is_file()
            assert found.document["runs"] == 2
            assert bool(found.document["training"]) == plan.training_error
            assert found.to_markdown().startswith("# ")
            print(name, found.sentence())
