"""Deep kernel learning: a Gaussian process for each class, whose kernel sees pictures through a network that is trained along with it.

    z = projection(features)                                   the deep part of the kernel (`projection.py`)
    f_k ~ GP(mean_k, amplitude_k · exp(-|z - z'|² / 2 length_k²))      one for each of K classes, independent
    p(y | picture) = E softmax(f)                              over q(f), the variational posterior

q is a Gaussian over the values of f at inducing points, trained on the evidence lower bound in batches. Far from all training
features the kernel is 0, so f is what the prior says: much the same for all classes, and wide.

What keeps it from diverging, which the combination is known for:
  * the features come from a network that is trained already, and are standardised
  * the projection is fitted under a plain softmax layer first; inducing points then start at the k-means of what it puts out
  * everything in float64; a Cholesky factorisation that fails is repeated with ten times the jitter, from 1e-6 up to 1e-1
  * the projection learns at a tenth of the rate of the Gaussian process; gradients are clipped; lengths stay between 1/10 and 10 middle distances
  * if a loss is not finite all the same, training goes back to its last good state, at half the rate (`descent.py`)

Sources: Wilson, Hu, Salakhutdinov, Xing 2016, arXiv:1511.02222 and arXiv:1611.00336 (deep kernels, stochastic variational); Hensman, Matthews,
Ghahramani 2015 (AISTATS), arXiv:1411.2005; van Amersfoort et al. 2021, arXiv:2102.11409 (why the projection must keep distances).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from wiesel.errors import GaussianProcessesMissing
from wiesel.uncertainty.answer import Answer, chunks, of_samples, sampled, table
from wiesel.uncertainty.clusters import kmeans
from wiesel.uncertainty.descent import descend, steps_for
from wiesel.uncertainty.logistic import ENOUGH, checked, some
from wiesel.uncertainty.projection import Projection, middle_distance

CHUNK = 2048
DRAWS = 16
"""Of f, per training step."""

JITTER = 1e-6
TRIES = 6


@dataclass(frozen=True, eq=False)
class Dkl:
    kind: ClassVar[str] = "dkl"
    projection: Projection
    process: nn.Module
    """GPyTorch's ApproximateGP with a batch of K processes."""
    span: tuple[float, float]
    """Between which the lengths may lie."""
    setbacks: int = 0
    seed: int = 0
    samples: int = 100

    def logits(self, features: ArrayLike) -> tuple[Tensor, Tensor]:
        """Mean and variance of f, both (N, K)."""
        means, variances = [], []
        with torch.no_grad(), numerics():
            self.process.eval()
            for chunk in chunks(table(features), CHUNK):
                found = self.process(self.projection(chunk))
                means.append(found.mean.T)
                variances.append(found.variance.T)
        return torch.cat(means), torch.cat(variances)

    def answer(self, features: ArrayLike) -> Answer:
        mean, variance = self.logits(features)
        generator = torch.Generator().manual_seed(self.seed)
        parts = [
            of_samples(sampled(centre, spread.sqrt(), self.samples, generator), spread.mean(1))
            for centre, spread in zip(chunks(mean, CHUNK), chunks(variance, CHUNK), strict=True)
        ]
        return parts[0].joined(*parts[1:])

    def probabilities(self, features: ArrayLike) -> NDArray[np.float64]:
        """(N, D) -> (N, K)"""
        return self.answer(features).probabilities

    def tensors(self) -> dict[str, Tensor]:
        outer = {f"projection.{name}": tensor for name, tensor in self.projection.state_dict().items()}
        return outer | {f"process.{name}": tensor for name, tensor in self.process.state_dict().items()}

    def facts(self) -> dict[str, Any]:
        return {
            "span": list(self.span),
            "setbacks": self.setbacks,
            "seed": self.seed,
            "samples": self.samples,
            "depth": len(self.projection.blocks),
            "inducing": int(self.process.state_dict()["variational_strategy.inducing_points"].shape[-2]),
        }

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Dkl:
        parts: dict[str, dict[str, Tensor]] = {"projection": {}, "process": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        width, size = parts["projection"]["first.weight"].shape
        projection = Projection(size, width, int(facts["depth"]))
        projection.load_state_dict(parts["projection"])
        low, high = (float(bound) for bound in facts["span"])
        process = _process(parts["process"]["variational_strategy.inducing_points"], (low, high), low)
        process.load_state_dict(parts["process"])
        return cls(projection, process, (low, high), int(facts["setbacks"]), int(facts["seed"]), int(facts["samples"]))


def fit(
    features: ArrayLike,
    labels: NDArray[np.int64],
    classes: int,
    seed: int = 0,
    *,
    width: int = 32,
    depth: int = 1,
    inducing: int | None = None,
    steps: int | None = None,
    rates: tuple[float, float] = (0.02, 0.002),
) -> Dkl:
    """`inducing` points, shared by the classes at the beginning: by default 12 per class, 64 to 128. `steps`: by default 10 epochs, 300 to 1200.
    `rates`: of the Gaussian process, and of the projection.

    Raises:
        GaussianProcessesMissing: GPyTorch is not installed.
        BadValue: labels or features that cannot be used.
        HeadDiverged: see `descent`.
    """
    _gpytorch()
    raw = table(features)
    truth = checked(raw, labels, classes)
    generator = torch.Generator().manual_seed(seed)
    projection = Projection(raw.shape[1], min(width, raw.shape[1]), depth)
    projection.start(raw, generator)
    before = _prefit(projection, raw, truth, classes, generator)
    rows = some(truth, ENOUGH, generator)
    with torch.no_grad():
        places = projection(raw[rows])
    middle = middle_distance(places, truth[rows], generator)
    points = kmeans(places, inducing or min(max(12 * classes, 64), 128), generator)
    span = (middle / 10, middle * 10)
    process = _process(points.expand(classes, *points.shape).clone(), span, middle)
    process.train()

    def loss_of(rows: Tensor) -> Tensor:
        """-ELBO per picture; the expectation of the log softmax by drawing f."""
        with refusing():
            found = process(projection(raw[rows]))
        mean, deviation = found.mean.T, found.variance.clamp(min=1e-12).sqrt().T
        drawn = mean + deviation * torch.randn((DRAWS, *mean.shape), generator=generator, dtype=mean.dtype)
        likelihood = drawn.log_softmax(-1).mean(0)[torch.arange(len(rows)), truth[rows]].mean()
        divergence: Tensor = process.variational_strategy.kl_divergence().sum()
        loss: Tensor = divergence / len(raw) - likelihood
        return loss

    with numerics():
        descent = descend(
            "dkl",
            nn.ModuleList([projection, process]),
            [(list(process.parameters()), rates[0]), (list(projection.parameters()), rates[1])],
            loss_of,
            count=len(raw),
            steps=steps or steps_for(len(raw), epochs=10, least=300, most=1200),
            generator=generator,
            after_step=projection.keep_bounds,
        )
    projection.keep_bounds(exact=True)
    projection.requires_grad_(False)
    process.requires_grad_(False).eval()
    return Dkl(projection, process, span, before + descent.setbacks, seed)


def _prefit(projection: Projection, features: Tensor, labels: Tensor, classes: int, generator: torch.Generator) -> int:
    """Fit the projection under a linear softmax layer, so that the k-means finds the classes. How many setbacks there were."""
    size = projection.first.out_features
    head = nn.ParameterList([nn.Parameter(torch.zeros(classes, size + 1, dtype=torch.float64))])

    def loss_of(rows: Tensor) -> Tensor:
        logits = F.linear(projection(features[rows]), head[0][:, :-1], head[0][:, -1])
        decay: Tensor = 1e-3 * head[0].square().sum()
        return decay + F.cross_entropy(logits, labels[rows])

    return descend(
        "dkl",
        nn.ModuleList([projection, head]),
        [(list(head.parameters()), 0.02), (list(projection.parameters()), 0.002)],
        loss_of,
        count=len(features),
        steps=steps_for(len(features), epochs=2, least=100, most=500),
        generator=generator,
        after_step=projection.keep_bounds,
    ).setbacks


def _process(points: Tensor, span: tuple[float, float], length: float) -> Any:
    """K Gaussian processes with inducing points (K, M, d)."""
    gpytorch = _gpytorch()
    shape = torch.Size([len(points)])

    class Process(gpytorch.models.ApproximateGP):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            distribution = gpytorch.variational.CholeskyVariationalDistribution(points.shape[-2], batch_shape=shape)
            super().__init__(gpytorch.variational.VariationalStrategy(self, points, distribution, learn_inducing_locations=True))
            self.mean = gpytorch.means.ConstantMean(batch_shape=shape)
            basis = gpytorch.kernels.RBFKernel(batch_shape=shape, lengthscale_constraint=gpytorch.constraints.Interval(*span))
            self.kernel = gpytorch.kernels.ScaleKernel(
                basis, batch_shape=shape, outputscale_constraint=gpytorch.constraints.Interval(0.01, 1000.0)
            )

        def forward(self, places: Tensor) -> Any:
            return gpytorch.distributions.MultivariateNormal(self.mean(places), self.kernel(places))

    process = Process().double()
    process.kernel.base_kernel.lengthscale = min(max(length, 1.001 * span[0]), 0.999 * span[1])
    process.kernel.outputscale = 10.0
    # The posterior starts as the prior: zero mean, unit covariance (whitened), without GPyTorch's own noise on it.
    process.variational_strategy.variational_params_initialized.fill_(1)
    return process


def _gpytorch() -> Any:
    """The library; what it makes PyTorch say about its own code is not the reader's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import gpytorch
        except ImportError as error:
            raise GaussianProcessesMissing from error
    return gpytorch


@contextmanager
def refusing() -> Iterator[None]:
    """A matrix that is not positive definite, or not finite, as ArithmeticError."""
    from linear_operator.utils.errors import NanError, NotPSDError

    try:
        yield
    except (NanError, NotPSDError) as error:
        raise ArithmeticError(str(error)) from error


@contextmanager
def numerics() -> Iterator[None]:
    """Jitter for matrices that are not positive definite within rounding: the least that suffices."""
    settings = _gpytorch().settings
    with ExitStack() as stack:
        stack.enter_context(settings.cholesky_jitter(double_value=JITTER))
        stack.enter_context(settings.variational_cholesky_jitter(double_value=JITTER))
        stack.enter_context(settings.cholesky_max_tries(TRIES))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield
