"""The textbook's printed table and example, to the digit, and the counts against torch's layers."""

from __future__ import annotations

import pytest
from torch import nn

from wiesel.errors import BadValue
from wiesel.teaching import compare_parameter_counts, show_example
from wiesel.teaching.parameters import count

TABLE = """
   Input Size  Conv Params  FC Params  Ratio (FC/Conv)
0         8x8           10       4160            416.0
1       16x16           10      65792           6579.2
2       32x32           10    1049600         104960.0
3       64x64           10   16781312        1678131.2
4     128x128           10  268451840       26845184.0
"""

EXAMPLE = """
Example with 32x32 input:
CNN parameters: 10 (fixed)
FC parameters: 1,049,600
Parameter reduction: 99.9990%
"""


def test_the_table_and_the_example_are_the_textbooks() -> None:
    assert str(compare_parameter_counts([8, 16, 32, 64, 128], language="en")) == TABLE.strip("\n")
    assert str(show_example(32, language="en")) == EXAMPLE.strip("\n")


@pytest.mark.parametrize("size", [1, 4, 8, 16])
def test_the_counts_are_those_of_real_layers(size: int) -> None:
    own = count(size)
    assert own.convolution == sum(p.numel() for p in nn.Conv2d(1, 1, 3, padding=1).parameters())
    assert own.connected == sum(p.numel() for p in nn.Linear(size**2, size**2).parameters())


def test_german_numbers_and_exact_rows() -> None:
    page = compare_parameter_counts([32], language="de")
    assert page.rows[0].connected == 1_049_600
    assert page.rows[0].ratio == 104_960
    assert "104\u202f960-mal" in page.alt_text
    assert "99,9990\u202f%" in str(show_example(32, language="de"))
    assert 'lang="de"' in page.html()


@pytest.mark.parametrize("sizes", [[], [0], [-3], [2.5], [True], ["8"]])
def test_sizes_that_are_none_are_refused(sizes: list[object]) -> None:
    with pytest.raises(BadValue):
        compare_parameter_counts(sizes)  # type: ignore[arg-type]
