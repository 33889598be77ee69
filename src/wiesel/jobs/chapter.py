"""What a textbook chapter on CNNs claims in numbers, counted again: its table of networks, and its worked examples of parameters.

The chapter (section 7.3.3) compares eight networks by accuracy, parameters and "FLOPS". Parameters and multiply-adds are counted here on
our own networks; accuracies cannot be counted without ImageNet and are held against the papers that they come from:

    Tan and Le 2019, arXiv:1905.11946, table 2                 all but the last row
    Xie et al. 2020, arXiv:1911.04252, table 2                 EfficientNet-L2 with Noisy Student

A claim is right if the number, rounded to as many digits as the chapter prints, is the chapter's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from wiesel import zoo
from wiesel.analysis import arithmetic, cost
from wiesel.analysis.arithmetic import Step
from wiesel.language import say

Column = Literal["top-1 %", "top-5 %", "million parameters", "billion multiply-adds"]


@dataclass(frozen=True)
class Claim:
    """One number of the chapter. `paper` is what the source prints, `here` what was counted; None where there is none."""

    network: str
    column: Column
    chapter: str
    paper: str | None
    here: float | None

    @property
    def what(self) -> str:
        """The column in the reader's language."""
        german = {"million parameters": "Mio. Parameter", "billion multiply-adds": "Mrd. Multiplikationen"}
        return say(en=self.column, de=german.get(self.column, self.column))

    @property
    def truth(self) -> float:
        """What was counted here, else what the paper prints."""
        return self.here if self.here is not None else float(self.paper or "nan")

    @property
    def right(self) -> bool:
        digits = len(self.chapter.partition(".")[2])
        return round(self.truth, digits) == float(self.chapter)

    @property
    def off(self) -> float:
        """By how much the chapter's number exceeds the true one: in points for accuracies, else as a share of the true one."""
        difference = float(self.chapter) - self.truth
        return difference if self.column.endswith("%") else difference / self.truth


# name in the zoo, name in the chapter, the chapter's row, the papers' row
ROWS = (
    ("resnet50", "ResNet-50", ("76.0", "93.0", "25.6", "4.1"), ("76.0", "93.0", "26", "4.1")),
    ("densenet169", "DenseNet-169", ("76.2", "93.2", "14.3", "3.4"), ("76.2", "93.2", "14", "3.5")),
    ("inception_v3", "Inception-v3", ("77.9", "93.8", "23.9", "5.7"), ("78.8", "94.4", "24", "5.7")),
    ("efficientnet_b0", "EfficientNet-B0", ("77.1", "93.3", "5.3", "0.39"), ("77.1", "93.3", "5.3", "0.39")),
    ("efficientnet_b1", "EfficientNet-B1", ("79.1", "94.4", "7.8", "0.70"), ("79.1", "94.4", "7.8", "0.70")),
    ("efficientnet_b4", "EfficientNet-B4", ("82.9", "96.4", "19.3", "4.2"), ("82.9", "96.4", "19", "4.2")),
    ("efficientnet_b7", "EfficientNet-B7", ("84.3", "97.0", "66", "37"), ("84.3", "97.0", "66", "37")),
    ("efficientnet_l2", "EfficientNet-L2*", ("85.5", "97.7", "480", "470"), ("88.4", "98.7", "480", None)),
)
COLUMNS: tuple[Column, ...] = ("top-1 %", "top-5 %", "million parameters", "billion multiply-adds")


def table() -> list[Claim]:
    """All claims of the chapter's table, in its order; builds each network without memory and counts it."""
    claims = []
    for name, title, chapter, paper in ROWS:
        row = zoo.find(name)
        with torch.device("meta"):
            network = zoo.build(name, classes=row.classes, channels=row.input[0])
        counted = cost(network, row.input)
        here = (None, None, counted.parameters / 1e6, counted.macs / 1e9)
        claims += [Claim(title, *facts) for facts in zip(COLUMNS, chapter, paper, here, strict=True)]
    return claims


def remarks() -> list[str]:
    """What the table says in words, or by its headings."""
    return [
        say(
            en='Heading "FLOPS": wrong. The numbers are multiply-adds (MAC); floating-point operations (FLOP) are twice as many, and FLOPS '
            "with a capital S usually means operations per second.",
            de="Überschrift «FLOPS»: falsch. Die Zahlen sind Multiplikationen mit Addition (MAC); Gleitkommaoperationen (FLOP) sind es "
            "doppelt so viele, und FLOPS mit grossem S meint meist Operationen pro Sekunde.",
        ),
        say(
            en="EfficientNet-B0 beats ResNet-50 with fewer parameters and operations: right, by these figures.",
            de="EfficientNet-B0 schlägt ResNet-50 mit weniger Parametern und Operationen: richtig, nach diesen Zahlen.",
        ),
        say(
            en="EfficientNet-L2 with Noisy Student, 85.5 %: wrong. That is the network without it; with it the paper has 88.4 %.",
            de="EfficientNet-L2 mit Noisy Student, 85,5 %: falsch. Das ist das Netz ohne; mit ihm hat die Arbeit 88,4 %.",
        ),
        say(
            en="EfficientNet-B1, -B4 and -B7: the chapter has the paper's multiply-adds; counted layer by layer, its networks need others.",
            de="EfficientNet-B1, -B4 und -B7: Das Kapitel hat die Multiplikationen der Arbeit; Schicht für Schicht gezählt sind es andere.",
        ),
    ]


def worked_examples() -> list[tuple[str, list[Step]]]:
    """The chapter's five calculations of parameters and sizes (section "Berechnung der Anzahl der lernbaren Parameter")."""
    return [
        ("Conv2d(1, 32, kernel_size=3)", arithmetic.weights(nn.Conv2d(1, 32, 3))),
        ("Conv2d(3, 64, kernel_size=3, padding=1)", arithmetic.weights(nn.Conv2d(3, 64, 3, padding=1))),
        (
            "Conv2d(64, 128, kernel_size=3, stride=2), 32x32",
            arithmetic.explain(nn.Conv2d(64, 128, 3, stride=2), (64, 32, 32)),
        ),
        ("MaxPool2d(kernel_size=2, stride=2), 15x15", arithmetic.explain(nn.MaxPool2d(2, 2), (128, 15, 15))),
        ("BasicBlock(64, 64)", arithmetic.sums(ChapterBlock())),
    ]


class ChapterBlock(nn.Module):
    """The chapter's block, whose convolutions have a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(2, 2)
