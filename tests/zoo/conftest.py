import pytest
import torch
from torch import nn

from wiesel import zoo


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small tensors gain nothing from a second thread, and lose ten times over while another program wants the core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def same_logits():
    """Ask whether our network answers like somebody else's with its weights, both in evaluation.

    Weights are taken over by their names. The other network's norms have seen the pictures once, else some networks would answer the
    same to all of them.
    """

    def check(name, theirs, height, width, tolerance=1e-4):
        torch.manual_seed(0)
        for layer in theirs.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
                nn.init.normal_(layer.weight, 1, 0.1)
                nn.init.normal_(layer.bias, 0, 0.1)
        pictures = torch.randn(2, 3, height, width)
        with torch.no_grad():
            theirs.train()(pictures)
        with torch.device("meta"):
            ours = zoo.build(name, classes=1000, channels=3)
        zoo.load_weights(ours, theirs.state_dict())
        with torch.no_grad():
            expected, found = theirs.eval()(pictures), ours.eval()(pictures)
        assert (expected[0] - expected[1]).abs().max() > 100 * tolerance, "the answers must depend on the pictures"
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)

    return check


@pytest.fixture
def sides():
    """Ask for the sides of the maps after each stage, for pictures of `side` px."""

    def measure(name, side, **options):
        found = []
        with torch.device("meta"), torch.no_grad():
            maps = torch.zeros(1, 1, side, side)
            for stage in zoo.build(name, size=side, **options).eval().features:
                maps = stage(maps)
                found.append(maps.shape[-1])
        return found

    return measure
