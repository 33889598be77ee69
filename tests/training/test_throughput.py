"""The rates that `wiesel doctor` shows."""

import time

import pytest
import torch

from wiesel import zoo
from wiesel.analysis.cost import cost
from wiesel.training.throughput import RESNET18_MACS, Throughput, best_of, product_rate


def test_the_counted_operations_are_those_of_the_network():
    with torch.device("meta"):
        assert cost(zoo.build("resnet18", classes=10, channels=1, size=28), (1, 28, 28)).macs == RESNET18_MACS


def test_a_rate_is_operations_over_seconds():
    assert best_of(lambda: time.sleep(0.01), repetitions=2) == pytest.approx(0.01, rel=0.5)
    small, large = product_rate("fp32", side=128), product_rate("fp32", side=512)
    assert 1e8 < small < 1e14
    assert 1e8 < large < 1e14


def test_the_share_is_of_the_best_convolution():
    assert Throughput(convolution=200e9, matrix_product=150e9, step=150e9, pictures=50.0).share == 0.75
