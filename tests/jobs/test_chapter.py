"""The textbook's numbers: what was counted here against the published counts, and the verdicts against a person's reading."""

from __future__ import annotations

import pytest

from wiesel import zoo
from wiesel.jobs import chapter


@pytest.fixture(scope="module")
def claims() -> dict[tuple[str, str], chapter.Claim]:
    return {(claim.network, claim.column): claim for claim in chapter.table()}


def test_every_number_of_the_table_has_a_verdict(claims: dict[tuple[str, str], chapter.Claim]) -> None:
    assert len(claims) == 8 * 4
    wrong = {key for key, claim in claims.items() if not claim.right}
    assert wrong == {
        ("DenseNet-169", "million parameters"),  # 14.15, not 14.3
        ("Inception-v3", "top-1 %"),  # 78.8 in the paper, not 77.9
        ("Inception-v3", "top-5 %"),
        ("Inception-v3", "million parameters"),  # 23.83, not 23.9
        ("EfficientNet-B1", "billion multiply-adds"),  # 0.687, not 0.70
        ("EfficientNet-B4", "billion multiply-adds"),  # 4.39, not 4.2
        ("EfficientNet-B7", "billion multiply-adds"),  # 37.7, not 37
        ("EfficientNet-L2*", "top-1 %"),  # 88.4 with Noisy Student
        ("EfficientNet-L2*", "top-5 %"),
        ("EfficientNet-L2*", "billion multiply-adds"),  # 476, not 470
    }


def test_what_is_counted_here_is_what_the_catalogue_says(claims: dict[tuple[str, str], chapter.Claim]) -> None:
    for name, title, _, _ in chapter.ROWS:
        row = zoo.find(name)
        assert claims[title, "million parameters"].here == row.parameters / 1e6
        assert claims[title, "billion multiply-adds"].here == row.macs / 1e9


def test_a_difference_is_in_points_for_accuracies_and_relative_for_counts(claims: dict[tuple[str, str], chapter.Claim]) -> None:
    assert claims["Inception-v3", "top-1 %"].off == pytest.approx(-0.9)
    assert claims["EfficientNet-B4", "billion multiply-adds"].off == pytest.approx(4.2 / 4.393771024 - 1)


def test_the_worked_examples_end_in_the_chapters_numbers() -> None:
    examples = {layer: [step.result for step in steps] for layer, steps in chapter.worked_examples()}
    assert examples["Conv2d(1, 32, kernel_size=3)"][-1] == 320
    assert examples["Conv2d(3, 64, kernel_size=3, padding=1)"][-1] == 1_792
    assert examples["BasicBlock(64, 64)"][-1] == 74_112
    assert examples["BasicBlock(64, 64)"].count(36_928) == 2
    assert examples["Conv2d(64, 128, kernel_size=3, stride=2), 32x32"][:2] == [15, 15]
    assert examples["MaxPool2d(kernel_size=2, stride=2), 15x15"][:2] == [7, 7]
