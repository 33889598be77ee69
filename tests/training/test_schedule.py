from __future__ import annotations

import pytest
import torch

from wiesel.training.schedule import rate_at


def rates(schedule: str, steps: int = 100, warmup: float = 0.25) -> list[float]:
    return [rate_at(s, steps, peak=0.4, schedule=schedule, warmup=warmup) for s in range(steps)]  # type: ignore[arg-type]


def test_one_cycle_is_pytorchs_with_constant_momentum() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=0.4)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.4, total_steps=101, pct_start=0.25, div_factor=25, final_div_factor=400
    )
    found = []
    for _ in range(100):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        theirs.step()
    # theirs rises over pct_start * total - 1 = 24.25 steps, ours over 25: the curves agree but for that grid
    assert rates("one_cycle") == pytest.approx(found, abs=0.03)
    assert rates("one_cycle")[0] == pytest.approx(0.4 / 25)
    assert max(rates("one_cycle")) == pytest.approx(0.4)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_rates_rise_to_the_peak_and_fall_towards_zero(schedule: str) -> None:
    found = rates(schedule)
    assert max(found) == pytest.approx(0.4)
    assert found[:25] == sorted(found[:25])
    assert found[25:] == sorted(found[25:], reverse=True)
    assert 0 < found[-1] < 0.02


def test_linear_values_by_hand() -> None:
    assert rates("linear", steps=4, warmup=0.5) == pytest.approx([0.2, 0.4, 0.4, 0.2])


def test_constant_is_constant() -> None:
    assert set(rates("constant")) == {0.4}


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "linear", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_very_short_runs_have_positive_rates(schedule: str, steps: int) -> None:
    assert all(0 < rate <= 0.4 for rate in rates(schedule, steps=steps))
