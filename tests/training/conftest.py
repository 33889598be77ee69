"""A task small enough to train in a second and hard enough not to be trivial: where does the bright square lie?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wiesel.batches import measure
from wiesel.images import DataSet, data_set_of, divide, from_arrays
from wiesel.recipe import Augmentation, Recipe, Training
from wiesel.runs.folder import RunFolder
from wiesel.training.fit import Machine


@pytest.fixture(autouse=True)
def _one_thread():  # type: ignore[no-untyped-def]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def squares(count: int = 200, *, side: int = 12, seed: int = 0) -> DataSet:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    pixels = rng.integers(0, 100, (count, side, side, 1)).astype(np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        y, x = divmod(int(label), 2)
        picture[y * 6 : y * 6 + 5, x * 6 : x * 6 + 5] += 90
    data = data_set_of(from_arrays(pixels, labels), classes=("a", "b", "c", "d"), name="squares")
    return divide(data, validation=0.2, test=0.1, seed=0)[0]


def recipe(**training: object) -> Recipe:
    settings: dict[str, object] = {"epochs": 3, "batch": 16, "optimiser": "sgd", "rate": 0.05, "threads": 1} | training
    return Recipe(architecture="lenet5", augmentation=Augmentation(flip=False, shift=1), training=Training(**settings))  # type: ignore[arg-type]


@pytest.fixture
def new_run(tmp_path: Path):  # type: ignore[no-untyped-def]
    def make(name: str, decisions: Recipe, data: DataSet) -> RunFolder:
        run = RunFolder.create(tmp_path / name)
        run.write_recipe(decisions)
        return run

    return make


MACHINE = Machine(precision="fp32", threads=1)


@pytest.fixture(scope="session")
def data() -> DataSet:
    return squares()


@pytest.fixture(scope="session")
def preprocessing(data: DataSet):  # type: ignore[no-untyped-def]
    return measure(data.train.pixels)
