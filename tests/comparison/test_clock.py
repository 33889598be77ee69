"""Equal seconds: the epochs that fit, written down once."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiesel.comparison import Plan, PlannedArm, clock, from_toml, to_toml
from wiesel.comparison.cells import cells
from wiesel.errors import BadValue
from wiesel.recipe import Training

ARMS = (PlannedArm(model="lenet5"), PlannedArm(model="simple_cnn"))
TIMED = Plan(arms=ARMS, budget="seconds", seconds=60, training=Training(epochs=8))


def test_one_run_of_one_epoch_per_arm_is_timed() -> None:
    timed = clock.timing_cells(TIMED, data="a", program="1")
    assert [(cell.arm, cell.name, cell.recipe.training.epochs) for cell in timed] == [
        (0, "lenet5-timing", 1),
        (1, "simple_cnn-timing", 1),
    ]
    assert all(cell.recipe.training.threads == 1 for cell in timed)


def test_each_arm_has_the_epochs_that_come_nearest_to_the_time() -> None:
    timed = clock.timing_cells(TIMED, data="a", program="1")
    assert clock.calibrated(TIMED, timed, [10.0, 25.0]).epochs == (6, 2)
    assert clock.calibrated(TIMED, timed, [59.0, 80.0]).epochs == (1, 1)


def test_without_seconds_the_first_arm_sets_the_time_and_keeps_its_epochs() -> None:
    plan = Plan(arms=ARMS, budget="seconds", training=Training(epochs=8))
    found = clock.calibrated(plan, clock.timing_cells(plan, data="a", program="1"), [10.0, 4.1])
    assert (found.seconds, found.epochs) == (80.0, (8, 20))


def test_an_arm_that_needs_longer_for_one_epoch_is_refused_with_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    timed = clock.timing_cells(TIMED, data="a", program="1")
    with pytest.raises(BadValue, match=r"at least 91\.0: one epoch of simple_cnn"):
        clock.calibrated(TIMED, timed, [10.0, 91.0])


def test_a_calibration_that_is_written_down_stays_in_force(tmp_path: Path) -> None:
    timed = clock.timing_cells(TIMED, data="a", program="1")
    assert clock.read(tmp_path, TIMED, timed) is None
    found = clock.calibrated(TIMED, timed, [10.0, 25.0])
    clock.write(tmp_path, found)
    assert clock.read(tmp_path, TIMED, timed) == found
    assert clock.read(tmp_path, TIMED, clock.timing_cells(TIMED, data="a", program="2")) == found
    longer = Plan(arms=ARMS, budget="seconds", seconds=90)
    assert clock.read(tmp_path, longer, clock.timing_cells(longer, data="a", program="1")) is None
    other = Plan(arms=(*ARMS[:1], PlannedArm(model="plain20")), budget="seconds", seconds=60)
    assert clock.read(tmp_path, other, clock.timing_cells(other, data="a", program="1")) is None
    (tmp_path / clock.FILE).write_text("{", encoding="utf-8")
    assert clock.read(tmp_path, TIMED, timed) is None


def test_the_cells_have_the_epochs_of_the_calibration() -> None:
    made = cells(TIMED, data="a", program="1", epochs=(6, 2))
    assert {(cell.arm, cell.recipe.training.epochs) for cell in made} == {(0, 6), (1, 2)}
    # The baseline of equal seconds and of equal epochs is the same run, trained once.
    equal = Plan(arms=ARMS, training=Training(epochs=6))
    assert cells(equal, data="a", program="1")[0].key == made[0].key


def test_an_arm_cannot_have_its_own_epochs_where_the_clock_chooses() -> None:
    own = (ARMS[0], PlannedArm(model="simple_cnn", settings={"epochs": 3}))
    with pytest.raises(BadValue, match="epochs"):
        Plan(arms=own, budget="seconds", seconds=60)
    assert from_toml(to_toml(TIMED)) == TIMED
