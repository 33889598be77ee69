"""A run folder from a stranger: it is read, or refused, but never obeyed, and nothing outside of it is opened."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from wiesel.errors import Damaged, WieselError
from wiesel.runs import RunFolder
from wiesel.runs.checkpoints import newest, save
from wiesel.runs.manifest import encoded, read_verified, size_and_hash, verify

_events: list[tuple[str, str]] | None = None


def _hook(event: str, arguments: tuple) -> None:
    if _events is not None and event.split(".")[0] in (
        "open",
        "exec",
        "compile",
        "subprocess",
        "socket",
        "os",
        "pickle",
        "marshal",
    ):
        _events.append((event, " ".join(map(str, arguments)) if event == "compile" else str(arguments[0]) if arguments else ""))


sys.addaudithook(_hook)  # hooks cannot be taken off again, so this one listens only while `watched` is active


FORBIDDEN = ("exec", "compile", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class")


@contextmanager
def watched(*closed: Path) -> Iterator[None]:
    """Fails if the block runs foreign code, starts a program, opens a socket, unpickles, or opens anything in `closed`."""
    global _events
    _events = []
    try:
        yield
    finally:
        seen, _events = _events, None
    installed = (f'file "{sys.base_prefix}', f'file "{sys.prefix}', 'file "<frozen')  # modules imported on first use
    assert [event for event in seen if event[0] in FORBIDDEN and not any(place in event[1] for place in installed)] == []
    assert [event for event in seen if event[1].startswith(tuple(map(str, closed)))] == []


def sentence_or_nothing(read: Callable[[], object]) -> None:
    """Reading works, or says in a sentence why not; any other exception passes."""
    try:
        read()
    except WieselError as error:
        if not str(error):
            raise


@pytest.fixture
def outside(fast: Path) -> Path:
    """A good run that is none of the stranger's business."""
    run = RunFolder.create(fast / "outside")
    save(run, 5, model={"w": torch.ones(3)}, optimizer={}, state={})
    run.write_classes(["secret"])
    return run.path


@pytest.fixture
def run(fast: Path) -> RunFolder:
    run = RunFolder.create(fast / "stranger")
    save(run, 1, model={"w": torch.zeros(3)}, optimizer={}, state={})
    save(run, 2, model={"w": torch.ones(3)}, optimizer={}, state={})
    newest(run).model()
    with run.lock():  # whatever is imported on first use is, now
        pass
    return run


def forge_manifest(folder: Path) -> None:
    """Make the manifest agree with whatever lies there."""
    entries = {
        p.name: size_and_hash(p) for p in folder.iterdir() if p.name != "MANIFEST.json" and p.is_file() and not p.is_symlink()
    }
    (folder / "MANIFEST.json").write_bytes(encoded(entries))


def test_a_checkpoint_that_is_a_link_to_another_run_is_skipped_unopened(run, outside):
    (run.checkpoints / "step-00000009").symlink_to(outside / "checkpoints" / "step-00000005")
    with watched(outside):
        found = newest(run)
    assert found.step == 2
    assert len(found.skipped) == 1


def test_a_folder_of_checkpoints_that_is_a_link_is_refused_unopened(run, outside):
    shutil.rmtree(run.checkpoints)
    run.checkpoints.symlink_to(outside / "checkpoints")
    with watched(outside):
        with pytest.raises(Damaged, match="checkpoints"):
            newest(run)
        with pytest.raises(Damaged, match="checkpoints"):
            save(run, 7, model={"w": torch.zeros(3)}, optimizer={}, state={})
        with run.lock():
            pass
    assert [p.name for p in (outside / "checkpoints").iterdir()] == ["step-00000005"]


def test_files_that_are_links_are_not_followed_even_if_their_content_would_fit(run, outside):
    folder = run.checkpoints / "step-00000002"
    for name in ("model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"):
        (folder / name).unlink()
        (folder / name).symlink_to(outside / "checkpoints" / "step-00000005" / name)
    (run.path / "classes.json").symlink_to(outside / "classes.json")
    with watched(outside):
        assert newest(run).step == 1
        with pytest.raises(Damaged):
            run.read_classes()


@pytest.mark.parametrize(
    "name", ["../outside/classes.json", "/etc/passwd", "..", ".", "", "a/../../outside/classes.json", "a\\b", "x\0", "c:x"]
)
def test_a_manifest_that_names_files_elsewhere_is_damage(run, outside, name):
    folder = run.checkpoints / "step-00000002"
    entries = json.loads((folder / "MANIFEST.json").read_bytes())
    entries[name] = {"size": (outside / "classes.json").stat().st_size, "sha256": "0" * 64}
    (folder / "MANIFEST.json").write_text(json.dumps(entries))
    with watched(outside, Path("/etc/passwd")):
        with pytest.raises(Damaged, match=r"outside|ausserhalb"):
            verify(folder)
        with pytest.raises(Damaged):
            read_verified(folder, ["model.safetensors"])
        assert newest(run).step == 1


MANIFESTS = [
    b"",
    b"null",
    b"[]",
    b"3",
    b'{"a": 3}',
    b'{"a": {"size": -1}}',
    b'{"model.safetensors": {"size": "1", "sha256": "x"}}',
    b'{"a": {"size": 1e99, "sha256": "x"}}',
    b'{"a": {"size": 99999999999999999999999, "sha256": "x"}}',
    b'{"a": {"size": 1, "sha256": null}}',
    b"[" * 900_000,
    b'{"a":' * 150_000,
    b'{"a": {"size": 1, "sha256": "x", "more": ' + b"[" * 500_000,
    b"\xff\xfe{}",
    b"\0" * 1000,
    b" " * (2**20 + 1),
]


@pytest.mark.parametrize("number", range(len(MANIFESTS)))
def test_a_manifest_that_is_none_is_damage(run, number):
    folder = run.checkpoints / "step-00000002"
    (folder / "MANIFEST.json").write_bytes(MANIFESTS[number])
    with pytest.raises(Damaged):
        verify(folder)
    assert newest(run).step == 1


def test_deep_state_is_damage(run):
    folder = run.checkpoints / "step-00000002"
    for rubbish in (b"[" * 500_000, b'{"a":' * 200_000, b"[]", b'{"a": NaN}', b'{"a": 1' + b"0" * 10_000 + b"}", b"\xff"):
        (folder / "state.json").write_bytes(rubbish)
        forge_manifest(folder)
        found = newest(run)
        assert found.step == 2
        with pytest.raises(Damaged, match=r"state\.json"):
            found.state()


@pytest.mark.parametrize(
    "name", ["classes.json", "evaluation.json", "recipe.toml", "events.jsonl", "checkpoints/step-00000002/MANIFEST.json"]
)
@pytest.mark.parametrize("kind", ["a terabyte", "a pipe", "a device", "a folder"])
def test_files_of_any_size_and_kind_are_refused_quickly(run, name, kind):
    path = run.path / name
    path.unlink(missing_ok=True)
    if kind == "a terabyte":
        with path.open("wb") as file:
            file.truncate(2**40)
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    began = time.process_time()
    if name.startswith("checkpoints"):
        assert newest(run).step == 1
    else:
        read = {"classes.json": run.read_classes, "evaluation.json": run.read_evaluation, "recipe.toml": run.read_recipe}.get(
            name, run.history
        )
        with pytest.raises(Damaged):
            read()
    assert time.process_time() - began < 2


class Canary:
    fired = False

    def __reduce__(self):
        return (setattr, (Canary, "fired", True))


def test_pickles_under_any_name_are_never_opened_as_pickles(run, outside):
    folder = run.checkpoints / "step-00000002"
    archive = run.path / "archive.npz"
    np.savez(archive, x=np.array([Canary()], dtype=object))
    bombs = [pickle.dumps(Canary()), archive.read_bytes()]
    torch.save(Canary(), run.path / "x.pt")
    bombs.append((run.path / "x.pt").read_bytes())
    bombs.append(len(bombs[0]).to_bytes(8, "little") + bombs[0])
    Canary.fired = False
    for bomb in bombs:
        for name in ("model.safetensors", "optimizer.safetensors", "state.json"):
            for other in ("model.safetensors", "optimizer.safetensors", "state.json"):
                (folder / other).write_bytes(bomb if other == name else b"{}")
            forge_manifest(folder)
            found = newest(run)
            with watched(outside):
                for read in (found.model, found.optimizer, found.state):
                    sentence_or_nothing(read)
    assert not Canary.fired


def test_500_mutants_of_a_checkpoint_give_an_error_or_the_right_bytes(run):
    """With the manifest left as it was, and with one that agrees with the mutant."""
    import random

    chance = random.Random(20261122)
    folder = run.checkpoints / "step-00000002"
    whole = {p.name: p.read_bytes() for p in folder.iterdir()}
    for _ in range(500):
        name = chance.choice(sorted(whole))
        data = bytearray(whole[name])
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0 if position < len(data):
                    data[position] = chance.randrange(256)
                case 1:
                    data[position:position] = chance.randbytes(chance.randint(1, 9))
                case 2:
                    del data[position:]
                case _:
                    data[position : position + 4] = b"9" * 4
            data = data or bytearray(b"x")
        if bytes(data) == whole[name]:
            continue
        (folder / name).write_bytes(data)
        assert newest(run).step == 1, name
        if name != "MANIFEST.json":
            forge_manifest(folder)
            found = newest(run)
            for read in (found.model, found.optimizer, found.state):
                sentence_or_nothing(read)
        for original, content in whole.items():
            (folder / original).write_bytes(content)
