"""Whoever visits the files, the data set is the same: one thread, several, helping processes, and helpers that fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from wiesel.images import DataSet, crew, decoding, load
from wiesel.images import folder as images_folder
from wiesel.images.listing import list_folder
from wiesel.images.visits import Look

Way = Callable[[], None]


@pytest.fixture
def pictures(folder, picture) -> Path:
    """80 pictures of 8 x 8, one of them with a name that is no text, and two files that are none."""
    root = folder(*(f"{name}/{number}.png" for name in "ab" for number in range(40)), "b/ä ö.jpg")
    (root / "a" / "7.png").write_bytes(b"no picture")
    (root / "b" / "8.png").write_bytes(picture(8)[:-20])  # a header, and half of the pixels
    (root / "b" / os.fsdecode(b"\xe9.png")).write_bytes(picture(99))
    return root


@pytest.fixture
def crews(monkeypatch) -> list[crew.Crew]:
    """Every crew from now on."""
    found: list[crew.Crew] = []
    begin = crew.Crew.__init__

    def noted(self, *args):
        begin(self, *args)
        found.append(self)

    monkeypatch.setattr(crew.Crew, "__init__", noted)
    return found


@pytest.fixture
def helped(monkeypatch) -> Way:
    """From its call on, few small files are enough for two helpers."""

    def begin() -> None:
        monkeypatch.setattr(crew, "processors", lambda: 3)
        monkeypatch.setattr(crew, "ENOUGH", 0)
        monkeypatch.setattr(crew, "PART_OF_HELPERS", 2)

    return begin


def assert_same(one: DataSet, another: DataSet) -> None:
    assert (one.fingerprint, one.left_out) == (another.fingerprint, another.left_out)
    np.testing.assert_array_equal(one.train.names, another.train.names)
    np.testing.assert_array_equal(one.train.pixels, another.train.pixels)


def fresh(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("WIESEL_CACHE", str(folder))


@pytest.mark.parametrize("settings", [{}, {"size": 7}, {"channels": 1}, {"size": 12, "fit": "pad"}])
def test_threads_and_helpers_make_the_same_data(settings, pictures, crews, helped, monkeypatch, tmp_path):
    alone = load(pictures, **settings, unreadable=0.1)
    assert len(alone.left_out) == 2
    monkeypatch.setattr(crew, "processors", lambda: 3)
    monkeypatch.setattr(crew, "SMALL", 0)
    fresh(monkeypatch, tmp_path / "threads")
    assert_same(load(pictures, **settings, unreadable=0.1), alone)
    monkeypatch.setattr(crew, "SMALL", 2**30)
    helped()
    fresh(monkeypatch, tmp_path / "helpers")
    assert_same(load(pictures, **settings, unreadable=0.1), alone)
    assert [(one.threads is not None, len(one.helpers)) for one in crews] == [(False, 0), (True, 0), (True, 2)]
    assert all(helper.process is None for one in crews for helper in one.helpers), "a helper outlives its work"


def test_helpers_read_a_zip_too_and_walk_over_no_shards(folder, crews, helped, monkeypatch, tmp_path):
    root = folder(*(f"{name}/{number}.png" for name in "ab" for number in range(20)))
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, path.relative_to(root).as_posix())
    with tarfile.open(tmp_path / "pets.tar", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.add(path, path.relative_to(root).as_posix())
    alone = load(root)
    helped()
    done = remember_what_helpers_do(monkeypatch)
    for source, helpers in ((tmp_path / "pets.zip", 2), (tmp_path / "pets.tar", 0)):
        fresh(monkeypatch, tmp_path / f"helped{source.suffix}")
        assert_same(load(source), alone)
        assert len(crews[-1].helpers) == helpers
        assert bool(done) == bool(helpers)
        done.clear()


@pytest.mark.parametrize("what", ["ImageFile.LOAD_TRUNCATED_IMAGES", "Image.MAX_IMAGE_PIXELS", "sys.frozen", "sys.executable"])
def test_where_helpers_would_see_it_otherwise_there_are_none(what, pictures, crews, helped, monkeypatch):
    helped()
    place, name = what.split(".")
    value = {"LOAD_TRUNCATED_IMAGES": True, "MAX_IMAGE_PIXELS": 10**6, "frozen": True, "executable": None}[name]
    monkeypatch.setattr({"ImageFile": ImageFile, "Image": Image, "sys": sys}[place], name, value, raising=False)
    load(pictures, unreadable=0.1)
    assert [len(one.helpers) for one in crews] == [0]


def test_only_what_may_be_shown_is_decoded_at_the_first_look(folder, picture, monkeypatch, tmp_path):
    """Of another size than asked for, or after two sizes were seen, pixels would be decoded for nothing."""
    root = folder(*(f"{name}/{number}.png" for name in "ab" for number in range(6)))
    decoded = []
    honest = decoding._decoded
    monkeypatch.setattr(decoding, "_decoded", lambda *args: decoded.append(args[3]) or honest(*args))
    monkeypatch.setattr(images_folder, "_LOOKS", 3)
    load(root, size=8)
    assert decoded == [None] * 12
    decoded.clear()
    load(root, size=9)
    assert decoded == [(9, 9)] * 12
    (root / "a" / "1.png").write_bytes(picture(1, size=(7, 8)))
    decoded.clear()
    load(root)
    assert decoded == [None] * 3 + [(96, 96)] * 12


def remember_what_helpers_do(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The answers of helpers, from now on."""
    done: list[bytes] = []
    receive = crew.receive

    def noted(file):
        answer = receive(file)
        done.append(answer)
        return answer

    monkeypatch.setattr(crew, "receive", noted)
    return done


def test_a_name_that_is_no_text_is_visited_here(pictures):
    with list_folder(pictures) as listing, crew.Crew(pictures, listing, listing.entries) as here:
        helper = crew._Helper(pictures, here._here)
        try:
            entries = [entry for entry in listing.entries if entry.path.endswith(os.fsdecode(b"\xe9.png"))]
            (head,) = helper(Look(), entries)
            assert (head.header.width, head.header.height) == (8, 8)
            assert helper.process is not None, "such a name is no reason to end the helper"
        finally:
            helper.close()


@pytest.mark.parametrize(
    "how", ["cannot be started", "ends at once", "is killed in the middle", "talks nonsense", "is talked over"]
)
def test_a_helper_that_fails_costs_nothing_but_time(how, pictures, crews, helped, monkeypatch, tmp_path):
    alone = load(pictures, unreadable=0.1)
    helped()
    fresh(monkeypatch, tmp_path / "helpers")
    start = subprocess.Popen
    if how == "is killed in the middle":
        receive = crew.receive

        def killing(file):
            answer = receive(file)
            for helper in crews[-1].helpers:
                if helper.process is not None:
                    os.kill(helper.process.pid, signal.SIGKILL)
            return answer

        monkeypatch.setattr(crew, "receive", killing)
    else:
        command = {
            "cannot be started": [str(tmp_path / "no python")],
            "ends at once": [sys.executable, "-c", "pass"],
            "talks nonsense": [sys.executable, "-c", "import sys; sys.stdout.buffer.write(b'\\0' * 7 + b'\\1x' * 9999)"],
            "is talked over": [sys.executable, "-c", "print('hello, world')"],
        }[how]
        monkeypatch.setattr(crew.subprocess, "Popen", lambda _, **options: start(command, **options))
    assert_same(load(pictures, unreadable=0.1), alone)
    assert len(crews[-1].helpers) == 2


def test_what_is_too_much_to_keep_is_decoded_again(pictures, monkeypatch, tmp_path):
    alone = load(pictures, unreadable=0.1)
    monkeypatch.setattr(images_folder, "_KEPT", 10 * 8 * 8 * 3)
    monkeypatch.setattr(images_folder, "_LOOKS", 5)
    reads = []
    monkeypatch.setattr(
        images_folder.Crew, "read", lambda self, read, entries: reads.append(len(entries)) or self._all(read, entries)
    )
    fresh(monkeypatch, tmp_path / "again")
    assert_same(load(pictures, unreadable=0.1), alone)
    assert sum(reads) == 81 - 15  # 81 files have a header; after the third look at five, more than ten pictures are kept


def test_pixels_that_are_not_as_the_header_says_are_left_out(folder, picture, monkeypatch):
    root = folder("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    lying = picture(50)
    (root / "b" / "2.png").write_bytes(lying)
    honest = decoding._decoded
    monkeypatch.setattr(decoding, "_decoded", lambda image, data, *rest: honest(image, data, *rest)[:, : 7 if data == lying else 8])
    data = load(root, unreadable=0.5)
    assert [(item.path, item.reason) for item in data.left_out] == [("b/2.png", "its size is not the one in its header")]
    assert data.train.pixels.shape == (3, 8, 8, 3)
