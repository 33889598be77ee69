"""Peers that live in another environment, each a process of its own that answers in JSON (`peer_fastai.py`, `peer_keras.py`)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wiesel.images import Images

HERE = Path(__file__).parent


class Missing(Exception):
    """The environment cannot run this peer; says why."""


def hand_over(path: Path, train: Images, test: Images) -> Path:
    """The pictures as a file that needs nothing but NumPy to be read."""
    np.savez(
        path,
        pixels=train.pixels[:, :, :, 0],
        labels=train.labels,
        test_pixels=test.pixels[:, :, :, 0],
        test_labels=test.labels,
    )
    return path


class Child:
    """A peer that waits. It learns only while it is asked to, so it disturbs nobody else's turn."""

    def __init__(self, python: Path | None, name: str, pictures: Path, *, steps: int, threads: int) -> None:
        """Raises:
        Missing: no Python was given, or it has not what the peer needs.
        """
        command = _command(python, name, pictures, threads)
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process writes into it
        self.process = subprocess.Popen(
            [*command, "--steps", str(steps)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True
        )
        self.versions: dict[str, Any] = self._answer()["ready"]

    def __call__(self) -> tuple[int, float]:
        """(pictures, seconds) of one round."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found = self._answer()
        return found["pictures"], found["seconds"]

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.said.seek(0)
            raise Missing(_last_line(self.said.read()))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self.process.communicate()
        self.said.close()


def whole_training(python: Path | None, name: str, pictures: Path, *, epochs: int, seed: int, threads: int) -> dict[str, Any]:
    """Seconds and accuracy of a peer's own recipe.

    Raises:
        Missing: no Python was given, or it has not what the peer needs.
    """
    command = [*_command(python, name, pictures, threads), "--epochs", str(epochs), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Missing(_last_line(done.stderr))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _command(python: Path | None, name: str, pictures: Path, threads: int) -> list[str]:
    if python is None:
        raise Missing("no Python with it was given (--python)")
    return [str(python), str(HERE / f"peer_{name}.py"), str(pictures), "--threads", str(threads)]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it ended without a word"])[-1]
