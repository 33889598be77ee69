"""SNGP and deep kernel learning on blobs, and the parts they are made of."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from wiesel.errors import Damaged, HeadDiverged
from wiesel.uncertainty import dkl, heads, sngp, softmax
from wiesel.uncertainty.clusters import kmeans
from wiesel.uncertainty.descent import batches, descend
from wiesel.uncertainty.projection import Projection

Blobs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def blobs() -> Blobs:
    """Three classes on a plane within six features; training, test, and pictures from far away."""
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.normal(size=(6, 2)))[0].T
    corners = 4 * np.array([[0, 1], [0.87, -0.5], [-0.87, -0.5]])

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 3
        return (corners[labels] + rng.normal(size=(count, 2))) @ plane + 0.1 * rng.normal(size=(count, 6)), labels

    x, y = drawn(90)
    tested, truth = drawn(60)
    angles = rng.uniform(0, 2 * math.pi, 40)
    return x, y, tested, truth, 60 * np.stack([np.cos(angles), np.sin(angles)], 1) @ plane


@pytest.fixture(scope="module")
def process(blobs: Blobs) -> dkl.Dkl:
    pytest.importorskip("gpytorch", reason="deep kernel learning is the extra `gp`")
    return dkl.fit(blobs[0], blobs[1], 3, inducing=12, steps=60)


@pytest.fixture(scope="module")
def fourier_head(blobs: Blobs) -> sngp.Sngp:
    return sngp.fit(blobs[0], blobs[1], 3, waves=256, steps=60)


def test_deep_kernel_learning_names_the_blobs_and_doubts_what_is_far(blobs: Blobs, process: dkl.Dkl) -> None:
    _, _, tested, truth, far = blobs
    near, strange = process.answer(tested), process.answer(far)
    assert (near.probabilities.argmax(1) == truth).mean() >= 0.95
    assert near.entropy.mean() < 0.4 < 0.9 < strange.entropy.mean()
    assert near.variance is not None
    assert strange.variance is not None
    assert strange.variance.min() > near.variance.mean()
    assert near.probabilities.sum(1) == pytest.approx(np.ones(60))
    assert process.setbacks == 0


def test_the_posterior_is_the_one_of_the_textbook(blobs: Blobs, process: dkl.Dkl) -> None:
    """Mean and variance from the stored numbers alone, without GPyTorch (Hensman et al. 2015, whitened)."""
    state = {name: tensor.double() for name, tensor in process.process.state_dict().items()}
    places = process.projection(torch.from_numpy(blobs[2]))
    mean, variance = process.logits(blobs[2])

    def between(raw: torch.Tensor, low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.sigmoid(raw)

    for k in range(3):
        points = state["variational_strategy.inducing_points"][k]
        length = between(state["kernel.base_kernel.raw_lengthscale"][k], *process.span)
        amplitude = between(state["kernel.raw_outputscale"][k], 0.01, 1000.0)

        def kernel(
            a: torch.Tensor, b: torch.Tensor, length: torch.Tensor = length, amplitude: torch.Tensor = amplitude
        ) -> torch.Tensor:
            return amplitude * torch.exp(-torch.cdist(a, b).square() / (2 * length**2))

        root = torch.linalg.cholesky(kernel(points, points) + 1e-6 * torch.eye(len(points)))
        across = torch.linalg.solve_triangular(root, kernel(points, places), upper=False)
        centre = state["variational_strategy._variational_distribution.variational_mean"][k]
        factor = state["variational_strategy._variational_distribution.chol_variational_covar"][k].tril()
        expected = state["mean.raw_constant"][k] + across.T @ centre
        spread = amplitude - across.square().sum(0) + (factor.T @ across).square().sum(0)
        torch.testing.assert_close(mean[:, k], expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(variance[:, k], spread, atol=1e-3, rtol=1e-3)


def test_the_variance_of_sngp_returns_to_the_prior_far_away(blobs: Blobs, fourier_head: sngp.Sngp) -> None:
    _, _, tested, truth, far = blobs
    near, strange = fourier_head.answer(tested), fourier_head.answer(far)
    assert (near.probabilities.argmax(1) == truth).mean() >= 0.95
    assert near.variance is not None
    assert strange.variance is not None
    assert strange.variance.min() > 1.5 * near.variance.mean()
    assert strange.variance.mean() == pytest.approx(1 / fourier_head.precision, rel=0.25)
    assert strange.entropy.mean() > 2 * near.entropy.mean()


def test_random_waves_are_the_kernel() -> None:
    generator = torch.Generator().manual_seed(0)
    places = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    frequencies = torch.randn(40_000, 3, generator=generator, dtype=torch.float64) / 1.7
    phases = 2 * math.pi * torch.rand(40_000, generator=generator, dtype=torch.float64)
    waves = sngp.fourier(places, frequencies, phases)
    kernel = torch.exp(-torch.cdist(places, places).square() / (2 * 1.7**2))
    torch.testing.assert_close(waves @ waves.T, kernel, atol=0.03, rtol=0)


def test_no_layer_of_a_projection_leaves_its_bound(fourier_head: sngp.Sngp) -> None:
    norms = [float(torch.linalg.matrix_norm(block.weight, 2)) for block in fourier_head.projection._blocks()]
    assert max(norms) <= 0.95 + 1e-9
    assert float(torch.linalg.matrix_norm(fourier_head.projection.first.weight, 2)) <= 1 + 1e-9
    generator = torch.Generator().manual_seed(0)
    wild = Projection(6, 4, 1)
    wild.start(torch.randn(20, 6, generator=generator, dtype=torch.float64), generator)
    with torch.no_grad():
        wild.blocks[0].weight.mul_(100)
    for _ in range(30):  # as after so many steps: each call makes one step of the power iteration
        wild.keep_bounds()
    assert float(torch.linalg.matrix_norm(wild.blocks[0].weight.detach(), 2)) == pytest.approx(0.95, rel=0.02)


@pytest.mark.parametrize("kind", heads.KINDS)
def test_a_head_is_read_as_it_was_written(
    kind: heads.Kind, blobs: Blobs, process: dkl.Dkl, fourier_head: sngp.Sngp, tmp_path: Path
) -> None:
    ready: dict[str, heads.Head] = {"dkl": process, "sngp": fourier_head}
    head = ready.get(kind) or heads.fit(kind, blobs[0], blobs[1], 3)
    folder = tmp_path / "heads" / kind
    for _ in range(2):  # the second takes the place of the first
        heads.save(folder, head, about={"labels": 90}, evaluation={})
    again = heads.load(folder)
    assert type(again) is type(head)
    for name, score in head.answer(blobs[2]).scores.items():
        np.testing.assert_array_equal(again.answer(blobs[2]).scores[name], score)
    np.testing.assert_array_equal(again.probabilities(blobs[2]), head.probabilities(blobs[2]))
    assert sorted(path.name for path in folder.parent.iterdir()) == [kind]
    (folder / "head.json").write_text('{"kind": "dkl", "facts": {}}')
    with pytest.raises(Damaged):
        heads.load(folder)


def test_the_same_seed_gives_the_same_head_and_leaves_chance_alone(blobs: Blobs, fourier_head: sngp.Sngp) -> None:
    before = torch.random.get_rng_state()
    again = sngp.fit(blobs[0], blobs[1], 3, waves=256, steps=60)
    np.testing.assert_array_equal(again.probabilities(blobs[2]), fourier_head.probabilities(blobs[2]))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_plain_softmax_is_sure_where_it_never_was(blobs: Blobs) -> None:
    head = softmax.fit(blobs[0], blobs[1], 3)
    assert (head.probabilities(blobs[2]).argmax(1) == blobs[3]).mean() >= 0.95
    assert head.answer(blobs[4]).entropy.mean() < 0.1


def test_kmeans_finds_the_middles() -> None:
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    places = middles.repeat(20, 1) + 0.1 * torch.randn(60, 2, generator=generator)
    centres = kmeans(places, 3, generator)
    assert float(torch.cdist(centres, middles).min(1).values.max()) < 0.1
    assert len(kmeans(torch.ones(5, 2), 3, generator)) == 1


def test_every_row_is_seen_before_any_comes_again() -> None:
    rows = torch.cat(list(batches(512, 2, torch.Generator().manual_seed(0))))
    assert sorted(rows.tolist()) == list(range(512))


def test_a_loss_that_is_not_finite_costs_a_step_back_and_then_the_training() -> None:
    model = nn.Linear(1, 1)
    start = model.weight.detach().clone()
    calls = []

    def loss_of(rows: torch.Tensor, failing: range) -> torch.Tensor:
        calls.append(len(rows))
        if len(calls) in failing:  # as after a step that was too large
            with torch.no_grad():
                model.weight.fill_(float("nan"))
        return (model.weight - 3).square().sum()

    found = descend(
        "test",
        model,
        [([model.weight], 0.3)],
        lambda rows: loss_of(rows, range(5, 6)),
        count=10,
        steps=60,
        generator=torch.Generator().manual_seed(0),
    )
    assert (found.steps, found.setbacks) == (60, 1)
    assert abs(float(model.weight.detach()) - 3) < abs(float(start) - 3) / 2
    with pytest.raises(HeadDiverged, match="test"):
        descend(
            "test",
            model,
            [([model.weight], 0.3)],
            lambda rows: loss_of(rows, range(10**6)),
            count=10,
            steps=60,
            generator=torch.Generator().manual_seed(0),
        )
