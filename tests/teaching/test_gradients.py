"""The vanishing gradient and its cures: the numbers first, then what the figures say about them."""

from __future__ import annotations

import pytest
import torch

from wiesel import teaching
from wiesel.analysis import GradientFlow, gradient_flow
from wiesel.errors import BadValue
from wiesel.teaching import flow_cures, gradient_figures
from wiesel.teaching.words import spoken

Flows = dict[tuple[str, int], GradientFlow]


@pytest.fixture(scope="module")
def flows() -> Flows:
    pictures, labels = flow_cures.few_pictures(4)
    return flow_cures.flows_of_cures((20,), pictures=pictures[:, :, ::2, ::2], labels=labels)


def first(flows: Flows, setting: str) -> float:
    gradient = flows[setting, 20].weighted[0].gradient
    assert gradient is not None
    return gradient


def test_each_cure_cures(flows: Flows) -> None:
    for flow in flows.values():
        assert len(flow.weighted) == 20
    assert first(flows, "sigmoid") < 1e-9 < first(flows, "relu")
    assert first(flows, "normal") < 1e-15 < first(flows, "relu") < first(flows, "he")
    assert first(flows, "norm") > 1e-3
    assert first(flows, "residual") < first(flows, "plain"), "batch norm makes a plain network's gradients grow downwards"
    assert {setting for setting, flow in flows.items() if flow.shortcuts} == {("residual", 20)}


def test_settings_are_repeatable_and_leave_chance_alone() -> None:
    before = torch.get_rng_state()
    one, other, third = (flow_cures.network_of("he", 20, seed=seed).features.stem.conv.weight for seed in (0, 0, 1))  # type: ignore[union-attr]
    assert torch.equal(one, other)
    assert not torch.equal(one, third)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("show", ["gradient", "weight_gradient", "activation"])
def test_the_figure_tells_the_numbers(show: str, language: str, flows: Flows) -> None:
    sheet = teaching.gradient_flow_figure(flows, show=show, language=language)
    said = sheet.alt_text
    layers = flows["sigmoid", 20].weighted[:-1]
    told = {"gradient": layers[0].gradient, "weight_gradient": layers[0].weight_gradient, "activation": layers[-1].activation_rms}
    assert gradient_figures.scientific(told[show] or 0, spoken(language)) in said
    assert ("Schichten" in said) == (language == "de")
    lines = [line for axes in sheet.axes for line in axes.lines]
    assert len(lines) == 2 + 3 + 2 + 2
    assert len(lines[0].get_xdata()) == 19
    drawn = {(line.get_linestyle(), line.get_marker()) for line in sheet.axes[1].lines}
    assert len(drawn) == 3, "told apart without colours"


def test_training_is_followed_step_by_step() -> None:
    history = teaching.short_training("residual", steps=4, every=2, batch=4)
    assert [step for step, _ in history] == [0, 2, 4]
    assert history[0][1].weighted[0].weight_gradient != history[-1][1].weighted[0].weight_gradient
    sheet = teaching.gradient_flow_along_training({"residual": history, "again": history}, language="en")
    assert "residual: first layer" in sheet.alt_text
    assert f"loss {history[0][1].loss:.2f} to {history[-1][1].loss:.2f}" in sheet.alt_text
    images = [axes.images[0] for axes in sheet.axes if axes.images]
    assert images[0].get_array().shape == (20, 3)
    assert images[0].get_clim() == images[1].get_clim(), "one scale for all"


def test_gradients_that_are_zero_or_not_there_are_drawn_at_the_end_of_the_scale() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 2))
    with torch.no_grad():
        network[0].bias.fill_(-100)
    flow = gradient_flow(network, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]))
    assert flow.layers[0].weight_gradient == 0
    assert teaching.gradient_flow_along_training({"dead": [(0, flow), (1, flow)]}, language="de").alt_text
    with pytest.raises(BadValue):
        teaching.gradient_flow_along_training({"one": [(0, flow)]})
    with pytest.raises(BadValue):
        teaching.shortcut_figure(flow)
    with pytest.raises(BadValue):
        teaching.gradient_flow_figure({}, show="colours")


def test_shortcut_and_branch_of_every_block_are_drawn(flows: Flows) -> None:
    flow = flows["residual", 20]
    sheet = teaching.shortcut_figure(flow, language="en")
    above = sheet.axes[0]
    heights = [bar.get_height() for bar in above.patches]
    assert heights == pytest.approx([one.skip for one in flow.shortcuts] + [one.branch for one in flow.shortcuts])
    assert f"{min(one.ratio for one in flow.shortcuts):.2f}" in sheet.alt_text


@pytest.mark.parametrize(
    ("value", "written"),
    [(9.1e-38, "9·10⁻³⁸"), (9.96e-5, "1·10⁻⁴"), (0.0042, "0.0042"), (1734.2, "1,734"), (0.0, "0"), (2e6, "2·10⁶")],
)
def test_numbers_are_written_as_a_person_would(value: float, written: str) -> None:
    assert gradient_figures.scientific(value, spoken("en")) == written
