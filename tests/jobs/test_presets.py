"""Presets `few` and `fast`: when they are taken, and what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import wiesel
from tests.jobs.test_train import make_folder
from wiesel.jobs.presets import EPOCHS_OF_MANY, FEW, PRESETS, for_few, for_many, suits_few, suits_many
from wiesel.jobs.settings import with_settings
from wiesel.recipe import NetworkOptions, Recipe, Training
from wiesel.runs.folder import RunFolder

TINY = {"threads": 1, "precision": "fp32"}


@pytest.mark.parametrize(("pictures", "epochs"), [(19_999, 2), (9_000, 3), (6_000, 4), (500, 54), (40, 60)])
def test_epochs_follow_from_the_number_of_pictures(pictures: int, epochs: int) -> None:
    assert for_few(Recipe(), {}, pictures=pictures, side=28).training.epochs == epochs


def test_what_somebody_asks_for_stays() -> None:
    free = for_few(Recipe(), {}, pictures=9_000, side=28).training
    assert (free.optimiser, free.batch, free.resolutions) == ("muon", 128, ((1 / 3, 18),))
    asked = {"epochs": 7, "label_smoothing": 0.0, "resolutions": ()}
    kept = for_few(Recipe(training=Training(epochs=7, label_smoothing=0.0)), asked, pictures=9_000, side=28).training
    assert (kept.epochs, kept.label_smoothing, kept.resolutions, kept.optimiser) == (7, 0.0, (), "muon")


def test_pictures_that_are_small_already_stay_as_they_are() -> None:
    assert for_few(Recipe(), {}, pictures=9_000, side=11).training.resolutions == ()
    assert for_few(Recipe(), {}, pictures=9_000, side=12).training.resolutions == ((1 / 3, 8),)


@pytest.mark.parametrize(
    ("recipe", "asked", "pictures", "suits"),
    [
        (Recipe(), {}, FEW - 1, True),
        (Recipe(), {"epochs": 3, "seed": 1}, 100, True),
        (Recipe(architecture="resnet50"), {}, 100, True),
        (Recipe(), {}, FEW, False),
        (Recipe(), {"rate": 0.1}, 100, False),
        (Recipe(), {"optimiser": "sgd"}, 100, False),
        (Recipe(), {"batch": 64}, 100, False),
        (Recipe(architecture="resnet20"), {}, 100, False),
        (Recipe(architecture="lenet5"), {}, 100, False),
        (Recipe(network=NetworkOptions(changes=("norm=off",))), {}, 100, False),
        (Recipe(network=NetworkOptions(changes=("residual=off",))), {}, 100, True),
    ],
)
def test_it_is_for_resnets_with_norms_and_few_pictures(recipe: Recipe, asked: dict[str, Any], pictures: int, suits: bool) -> None:
    assert suits_few(recipe, asked, pictures) is suits


def test_a_resnet_on_a_small_folder_is_trained_with_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "stripes")
    run = wiesel.train("resnet18:width=0.125", folder, epochs=5, size=21, output=tmp_path / "run", **TINY).run  # type: ignore[arg-type]
    training = RunFolder.open(run).read_recipe().training
    assert (training.optimiser, training.batch, training.epochs) == ("muon", 128, 5)
    rows = [row for row in RunFolder.open(run).history() if row["kind"] == "epoch"]
    small = training.resolutions[0][1]
    assert [row.get("resolution") for row in rows] == [small, small, None, None, None]
    assert rows[2]["best"]  # however well the small pictures went


def test_patience_waits_for_pictures_of_full_size(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "stripes")
    asked = {"epochs": 8, "size": 21, "resolutions": ((0.5, 12),), "patience": 1, "rate": 1e-12, "optimiser": "sgd"}
    run = wiesel.train("resnet18:width=0.125", folder, output=tmp_path / "run", **asked, **TINY).run  # type: ignore[arg-type]
    rows = [row for row in RunFolder.open(run).history() if row["kind"] == "epoch"]
    assert [row.get("resolution") for row in rows[:5]] == [12, 12, 12, 12, None]
    assert rows[4]["best"]
    assert len(rows) < 8


def test_the_standard_preset_and_other_networks_are_as_they_were(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "stripes")
    for name, preset in (("resnet18:width=0.125", "standard"), ("resnet20:width=0.5", None)):
        run = wiesel.train(name, folder, epochs=1, preset=preset, output=tmp_path / name[:8], **TINY).run  # type: ignore[arg-type]
        training = RunFolder.open(run).read_recipe().training
        assert (training.optimiser, training.batch, training.resolutions) == ("adamw", 32, ())


def test_fast_takes_more_and_smaller_epochs_and_a_lower_rate_for_many_pictures() -> None:
    found = for_many(PRESETS["fast"], {}, shift=2, side=28)
    assert (found.training.epochs, found.training.rate, found.training.resolutions) == (EPOCHS_OF_MANY, 0.1, ((0.6, 18),))
    assert (found.augmentation.shift, found.augmentation.alternate, found.training.optimiser) == (2, True, "muon")
    start = with_settings(PRESETS["fast"], {"epochs": 3, "shift": 1, "optimiser": "sgd"})
    kept = for_many(start, {"epochs": 3, "shift": 1, "optimiser": "sgd"}, shift=2, side=32)
    assert (kept.training.epochs, kept.augmentation.shift, kept.training.rate, kept.training.resolutions) == (
        3,
        1,
        0.0,
        ((0.6, 20),),
    )


def test_fast_keeps_its_rate_when_its_own_optimiser_is_named_and_leaves_tiny_pictures_alone() -> None:
    assert for_many(PRESETS["fast"], {"optimiser": "muon"}, shift=0, side=28).training.rate == 0.1
    assert for_many(PRESETS["fast"], {}, shift=0, side=13).training.resolutions == ()  # 8 px are too few for these networks
    assert for_many(PRESETS["fast"], {}, shift=0, side=14).training.resolutions == ((0.6, 9),)


@pytest.mark.parametrize(("pictures", "epochs"), [(60, PRESETS["fast"].training.epochs), (70, EPOCHS_OF_MANY)])
def test_fast_counts_the_training_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: int, epochs: int) -> None:
    folder = make_folder(tmp_path / "stripes", 90)
    monkeypatch.setattr("wiesel.jobs.presets.FEW", 65)
    run = wiesel.train(
        "wiesel_s", folder, preset="fast", test=10, validation=80 - pictures, size=20, output=tmp_path / "run", **TINY
    ).run  # type: ignore[arg-type]
    training = RunFolder.open(run).read_recipe().training
    assert (training.epochs, bool(training.resolutions)) == (epochs, epochs == EPOCHS_OF_MANY)


def test_many_pictures_suit_our_own_networks_only() -> None:
    assert suits_many(Recipe(architecture="wiesel_l"), FEW)
    assert not suits_many(Recipe(architecture="wiesel_l"), FEW - 1)
    assert not suits_many(Recipe(architecture="alexnet"), FEW)
