"""One evaluated run for all tests of this room; what differs is changed in its facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.example_run import blobs, write_run
from wiesel.images import DataSet
from wiesel.reports.collecting import collect
from wiesel.reports.facts import Facts
from wiesel.runs.folder import RunFolder

CLASSES = ("cat", "dog", "Käfer", "bird", "boat")


@pytest.fixture(scope="session")
def data() -> DataSet:
    return blobs(CLASSES)


@pytest.fixture(scope="session")
def run(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("runs") / "example", data, architecture="resnet20")


@pytest.fixture(scope="session")
def facts(run: RunFolder, data: DataSet) -> Facts:
    return collect(run, data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"
