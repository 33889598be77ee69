"""The table in the order of computing: its sums against the catalogue's published numbers, its rows against networks on a blackboard."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wiesel import zoo
from wiesel.analysis.ledger import ledger
from wiesel.analysis.tape import record


@pytest.mark.parametrize("row", zoo.models(), ids=lambda row: row.name)
def test_the_rows_of_every_network_add_up_to_its_published_numbers(row: zoo.Architecture) -> None:
    with torch.device("meta"):
        network = zoo.build(row.name, classes=row.classes, channels=row.input[0])
    entries = ledger(network, record(network, row.input))
    assert sum(entry.parameters for entry in entries) == row.parameters
    assert sum(entry.macs for entry in entries) == row.macs
    assert all(entry.output for entry in entries), "every layer of a network in evaluation takes part"


class Small(nn.Module):
    """Layers, a layer used twice, functions between them, a parameter of its own, and a head that works only in training."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.twice = nn.Conv2d(4, 4, 1, bias=False)
        self.head = nn.Linear(4, 2)
        self.helper = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        x = x + self.twice(self.twice(x))
        x = F.max_pool2d(x * self.scale, 2)
        return self.head(x.mean((2, 3)).reshape(-1, 4))


def test_functions_have_rows_rearrangements_have_none_and_nothing_is_counted_twice() -> None:
    network = Small()
    rows = [
        (entry.name, entry.type, entry.call, entry.output, entry.parameters, entry.macs)
        for entry in ledger(network, record(network, (1, 6, 6)))
    ]
    assert rows == [
        ("first", "Conv2d", 0, (4, 6, 6), 40, 36 * 36),
        ("", "relu", 0, (4, 6, 6), 4, 0),  # the network's own parameter stands in the first row of its code
        ("twice", "Conv2d", 0, (4, 6, 6), 16, 36 * 16),
        ("twice", "Conv2d", 1, (4, 6, 6), 0, 36 * 16),
        ("", "add", 0, (4, 6, 6), 0, 0),
        ("", "mul", 0, (4, 6, 6), 0, 0),
        ("", "max_pool2d", 0, (4, 3, 3), 0, 0),
        ("", "mean", 0, (4,), 0, 0),
        ("head", "Linear", 0, (2,), 10, 8),
        ("helper", "Linear", 0, (), 15, 0),
    ]


def test_the_memory_of_an_output_is_four_bytes_a_number() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3))
    assert ledger(network, record(network, (1, 5, 7)))[0].bytes == 3 * 3 * 5 * 4
