"""A network made of nothing but these layers learns digits, and takes the same steps as torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wiesel import scratch

datasets = pytest.importorskip("sklearn.datasets", reason="the digits come with scikit-learn")


@pytest.fixture(scope="module")
def digits():
    """The 1797 digits of 8x8 pixels, each pixel as 2x2: (N, 1, 16, 16) in 0..1, and what they show. In a fixed random order."""
    bunch = datasets.load_digits()
    pixels = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 16
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    return pixels.repeat_interleave(2, 2).repeat_interleave(2, 3)[order], torch.tensor(bunch.target)[order]


def lenet(layers, seed=0, **more) -> nn.Sequential:
    """LeNet with 3x3 kernels, which all algorithms take, from the layers of torch (`nn`) or of this room."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            layers.Conv2d(1, 6, 3, padding=1, **more),
            nn.Tanh(),
            layers.AvgPool2d(2),
            layers.Conv2d(6, 16, 3, padding=1, **more),
            nn.Tanh(),
            layers.MaxPool2d(2),
            layers.Conv2d(16, 40, 3, **more),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(40 * 2 * 2, 10),
        )


def train(network, pictures, labels, steps, rate):
    """Losses of `steps` steps of stochastic gradient descent with momentum, 64 pictures each."""
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    losses = []
    for step in range(steps):
        batch = slice(64 * step % 1280, 64 * step % 1280 + 64)
        loss = nn.functional.cross_entropy(network(pictures[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_lenet_learns_digits_it_has_not_seen(digits):
    pictures, labels = digits
    network = lenet(scratch)
    losses = train(network, pictures, labels, steps=60, rate=0.1)
    assert losses[0] == pytest.approx(2.3, abs=0.15)  # ln 10: it knows nothing yet
    assert max(losses[-5:]) < 0.6
    with torch.no_grad():
        right = (network(pictures[1300:]).argmax(1) == labels[1300:]).double().mean().item()
    assert right > 0.88


@pytest.mark.parametrize("algorithm", ["im2col", "fft", "winograd"])
def test_its_steps_are_those_of_torch_s_layers(digits, algorithm):
    pictures, labels = digits[0].double(), digits[1]
    mine, theirs = lenet(scratch, algorithm=algorithm).double(), lenet(nn).double()
    theirs.load_state_dict(mine.state_dict())
    found, expected = (train(network, pictures, labels, steps=6, rate=0.1) for network in (mine, theirs))
    assert found == pytest.approx(expected, rel=1e-10)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[name], value, rtol=1e-9, atol=1e-11)
