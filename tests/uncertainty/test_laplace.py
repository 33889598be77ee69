"""The Gaussian around the weights, against derivatives and an integral that know nothing of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wiesel.errors import BadValue
from wiesel.uncertainty import laplace
from wiesel.uncertainty.logistic import fit_map, with_one


@pytest.fixture(scope="module")
def line() -> tuple[np.ndarray, np.ndarray]:
    """One feature, two overlapping classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    return (rng.normal(0, 1, 24) + 1.5 * labels)[:, None], labels


def test_the_curvature_is_the_hessian_of_the_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = with_one(torch.randn(9, 2, generator=generator, dtype=torch.float64))
    labels = torch.arange(9) % 4
    weights = torch.randn(4, 3, generator=generator, dtype=torch.float64)

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(inputs @ flat.reshape(4, 3).T, labels, reduction="sum")

    exact = torch.autograd.functional.hessian(loss, weights.reshape(-1))
    torch.testing.assert_close(laplace.hessian(inputs, weights), exact)


def test_the_most_probable_weights_have_no_slope(line: tuple[np.ndarray, np.ndarray]) -> None:
    inputs, labels = with_one(torch.from_numpy(line[0])), torch.from_numpy(line[1])
    weights = fit_map(inputs, labels, 2, 0.5).requires_grad_()
    loss = F.cross_entropy(inputs @ weights.T, labels, reduction="sum") + 0.25 * weights.square().sum()
    (slope,) = torch.autograd.grad(loss, weights)
    assert float(slope.abs().max()) < 1e-3


def test_the_variance_of_a_logit_is_that_of_the_inverse_hessian(line: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = line
    trained = (np.array([[-0.7], [0.9]]), np.array([0.2, -0.1]))
    head = laplace.fit(features, labels, 2, trained=trained, precision=2.0)
    inputs = with_one(torch.from_numpy(features))

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(inputs @ flat.reshape(2, 2).T, torch.from_numpy(labels), reduction="sum")

    weights = torch.tensor([[-0.7, 0.2], [0.9, -0.1]], dtype=torch.float64)
    covariance = torch.linalg.inv(torch.autograd.functional.hessian(loss, weights.reshape(-1)) + 2.0 * torch.eye(4).double())
    mean, found = head.logits(np.array([[3.0]]))
    x = torch.tensor([3.0, 1.0], dtype=torch.float64)
    jacobian = torch.block_diag(x[None], x[None])
    torch.testing.assert_close(found[0], jacobian @ covariance @ jacobian.T)
    torch.testing.assert_close(mean[0], weights @ x)


def test_kronecker_factors_are_exact_where_all_inputs_are_alike() -> None:
    features = np.full((6, 3), 0.7)
    trained = (np.random.default_rng(1).normal(0, 1, (3, 3)), np.zeros(3))
    full, factors = (
        laplace.fit(features, np.arange(6) % 3, 3, trained=trained, precision=1.3, structure=kind) for kind in ("full", "kronecker")
    )
    places = np.random.default_rng(2).normal(0, 2, (5, 3))
    torch.testing.assert_close(full.logits(places)[1], factors.logits(places)[1])
    assert full.evidence == pytest.approx(factors.evidence)


def test_the_evidence_is_the_integral_over_all_weights() -> None:
    """Only the bias matters here, so the integral is over two numbers and can be done on a grid."""
    labels = np.array([0] * 14 + [1] * 10)
    head = laplace.fit(np.zeros((24, 1)), labels, 2, precision=0.8)
    axis = np.linspace(-8, 8, 801)
    first, second = np.meshgrid(axis, axis)
    log_likelihood = 14 * (first - np.logaddexp(first, second)) + 10 * (second - np.logaddexp(first, second))
    log_prior = math.log(0.8 / (2 * math.pi)) - 0.4 * (first**2 + second**2)
    integral = np.exp(log_likelihood + log_prior).sum() * (axis[1] - axis[0]) ** 2
    assert head.evidence == pytest.approx(math.log(integral), abs=0.02)


def test_the_precision_is_the_one_under_which_the_labels_are_most_probable(line: tuple[np.ndarray, np.ndarray]) -> None:
    chosen = laplace.fit(*line, 2)
    others = [laplace.fit(*line, 2, precision=chosen.precision * factor).evidence for factor in (0.01, 0.1, 10, 100)]
    assert chosen.evidence >= max(others)


def test_doubt_grows_away_from_the_data_and_both_links_agree(line: tuple[np.ndarray, np.ndarray]) -> None:
    head = laplace.fit(*line, 2)
    answer = head.answer(np.array([[0.8], [40.0]]))
    assert answer.variance is not None
    assert answer.information is not None
    assert answer.variance[1] > 50 * answer.variance[0]
    assert answer.probabilities.sum(1) == pytest.approx([1, 1])
    many = laplace.Laplace(**{**head.__dict__, "samples": 20_000}).answer(line[0])
    np.testing.assert_allclose(many.probabilities, head.answer(line[0], link="probit").probabilities, atol=0.02)


def test_what_cannot_be_fitted_is_refused(line: tuple[np.ndarray, np.ndarray]) -> None:
    for features, labels in ((line[0], line[1][:3]), (line[0], line[1] + 1), (line[0] * np.nan, line[1])):
        with pytest.raises(BadValue):
            laplace.fit(features, labels, 2)
    with pytest.raises(BadValue, match="trained"):
        laplace.fit(*line, 2, trained=(np.zeros((2, 5)), np.zeros(2)))
