"""From folders and .zip files to data sets, through the whole room."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel.errors import (
    BadValue,
    EmptyClass,
    EmptyFolder,
    FolderMissing,
    NoClassFolders,
    NoRoom,
    OneClass,
    TooManyUnreadable,
    UnknownData,
)
from wiesel.images import divide, listing, load
from wiesel.images.decoding import decode


def zip_of(folder: Path, *, around: str = "") -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, around + path.relative_to(folder).as_posix())
    return target


def test_a_folder_becomes_a_data_set(folder):
    root = folder("cat/1.png", "cat/10.png", "cat/9.png", "dog/a.png", notes="hello")
    data = load(root)
    assert (data.name, data.classes, data.source) == ("pets", ("cat", "dog"), str(root))
    assert data.train.names.tolist() == ["cat/1.png", "cat/9.png", "cat/10.png", "dog/a.png"]
    assert data.train.labels.tolist() == [0, 0, 0, 1]
    assert (data.validation, data.test) == (None, None)
    assert [(item.path, item.reason) for item in data.left_out] == [("notes", "no picture")]
    for name, pixels in zip(data.train.names, data.train.pixels, strict=True):
        np.testing.assert_array_equal(pixels, decode((root / name).read_bytes(), channels=3, size=None))


def test_a_zip_of_it_is_the_same_data_with_and_without_a_folder_around(folder):
    root = folder("train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "val/dog/1.png")
    from_folder = load(root)
    for around in ("", "pets/", "a/b/"):
        data = load(zip_of(root, around=around))
        assert data.name == "pets"
        assert data.fingerprint == from_folder.fingerprint
        for split, images in from_folder.splits.items():
            np.testing.assert_array_equal(data.splits[split].pixels, images.pixels)
            np.testing.assert_array_equal(data.splits[split].names, images.names)


def test_the_fingerprint_follows_content_names_and_labels(folder, picture):
    root = folder("cat/1.png", "cat/2.png", "dog/1.png")
    seen = [load(root).fingerprint]
    (root / "cat/2.png").write_bytes(picture(99))
    seen.append(load(root).fingerprint)
    (root / "cat/2.png").rename(root / "cat/3.png")
    seen.append(load(root).fingerprint)
    (root / "cat/3.png").rename(root / "dog/3.png")
    seen.append(load(root).fingerprint)
    assert len(set(seen)) == 4


def test_equal_small_pictures_keep_their_size_and_others_are_brought_to_96(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    assert load(root).image_shape == (3, 8, 8)
    for name in ("cat/1.png", "dog/1.png"):
        (root / name).write_bytes(picture(1, size=(96, 40)))
    assert load(root).image_shape == (3, 40, 96)
    for name in ("cat/1.png", "dog/1.png"):
        (root / name).write_bytes(picture(1, size=(97, 40)))
    assert load(root).image_shape == (3, 96, 96)
    (root / "dog/1.png").write_bytes(picture(1, size=(8, 8)))
    assert load(root).image_shape == (3, 96, 96)
    assert load(root, size=24).image_shape == (3, 24, 24)


def test_grey_stays_grey_and_one_colour_picture_makes_all_colour(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    for name in ("cat/1.png", "dog/1.png"):
        (root / name).write_bytes(picture(1, mode="L"))
    assert load(root).image_shape == (1, 8, 8)
    assert load(root, channels=3).image_shape == (3, 8, 8)
    (root / "dog/1.png").write_bytes(picture(1))
    assert load(root).image_shape == (3, 8, 8)
    assert load(root, channels=1).image_shape == (1, 8, 8)


def test_the_content_decides_whatever_the_name_says(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    (root / "cat/2.txt").write_bytes(picture(2, format="JPEG"))
    (root / "cat/3").write_bytes(picture(3, format="GIF"))
    (root / "cat/4.jpg").write_bytes(picture(4, format="WEBP"))
    data = load(root)
    assert data.train.names.tolist() == ["cat/1.png", "cat/2.txt", "cat/3", "cat/4.jpg", "dog/1.png"]


def test_a_few_unreadable_pictures_are_left_out_and_named(folder):
    root = folder(*(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(100)))
    (root / "cat/50.png").write_bytes((root / "cat/50.png").read_bytes()[:60])
    (root / "dog/0.png").write_text("<html>404</html>")
    data = load(root)
    assert len(data.train) == 198
    assert [item.path for item in data.left_out] == ["cat/50.png", "dog/0.png"]
    assert "damaged or cut short" in data.left_out[0].reason
    assert "begins with b'<html>" in data.left_out[1].reason
    (root / "dog/1.png").write_bytes(b"")
    with pytest.raises(
        TooManyUnreadable, match=r"^3 of 200 pictures in .* cannot be read, more than the allowed 1\.0%: cat/50\.png \("
    ):
        load(root)
    assert len(load(root, unreadable=0.02).train) == 197
    with pytest.raises(TooManyUnreadable):
        load(root, unreadable=0)


def test_files_with_the_name_of_a_format_that_is_not_read_count_as_unreadable(folder):
    root = folder("cat/1.png", "dog/1.png")
    (root / "cat/2.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    with pytest.raises(TooManyUnreadable, match=r"1 of 3 pictures .* cat/2\.heic"):
        load(root)


def test_formats_that_run_programs_are_never_tried(folder):
    root = folder("cat/1.png", "dog/1.png")
    (root / "cat/2.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n")
    (root / "cat/3.pdf").write_bytes(b"%PDF-1.4\n")
    (root / "cat/4.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert [item.path for item in load(root).left_out] == ["cat/2.eps", "cat/3.pdf", "cat/4.svg"]


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (("cat/", "dog/"), EmptyFolder),
        ((), EmptyFolder),
        (("1.png", "2.png"), NoClassFolders),
        (("cat/1.png",), OneClass),
        (("cat/1.png", "dog/1.png", "cow/"), EmptyClass),
    ],
)
def test_bad_layouts_are_refused_at_once_in_folder_and_zip(names, error, folder):
    root = folder(*names)
    for source in (root, zip_of(root)):
        start = time.perf_counter()
        with pytest.raises(error):
            load(source)
        assert time.perf_counter() - start < 20


def test_a_class_whose_pictures_are_all_unreadable_is_named(folder):
    root = folder("cat/1.png", "dog/1.png")
    (root / "dog/1.png").write_bytes((root / "dog/1.png").read_bytes()[:100])
    with pytest.raises(EmptyClass, match="'dog'"):
        load(root, unreadable=1)


def test_what_is_nowhere_is_told_apart(tmp_path):
    with pytest.raises(FolderMissing):
        load(tmp_path / "nothing")
    with pytest.raises(FolderMissing):
        load("data/nothing")
    with pytest.raises(FolderMissing):
        load("nothing.zip")
    with pytest.raises(UnknownData, match=r"called 'fashion_mnist'.* Nearest: fashion-mnist, fashion-mnist-sample"):
        load("fashion_mnist")


@pytest.mark.parametrize("wrong", [{"size": 3}, {"size": 5000}, {"channels": 2}, {"fit": "stretch"}, {"unreadable": 2}])
def test_settings_out_of_range_are_refused(wrong, folder):
    with pytest.raises(BadValue, match=next(iter(wrong))):
        load(folder("cat/1.png", "dog/1.png"), **wrong)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_of_any_bytes_work_to_the_end(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    for i, name in enumerate((b"caf\xe9.png", b"new\nline.png", "\U0001f408.png".encode(), b"=1+1.png", b"-rf.png")):
        Path(os.fsdecode(os.fsencode(root) + b"/cat/" + name)).write_bytes(picture(i))
    data = load(root)
    assert len(data.train) == 7
    assert json.dumps(data.train.names.tolist()).encode()
    assert "cat/caf\\xe9.png" in data.train.names
    assert len(set(data.train.names.tolist())) == 7


def test_dividing_a_folder(folder):
    data = load(folder(*(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(20))))
    divided, _ = divide(data, validation=0.1, test=0.2, seed=0)
    assert divided.counts == {"train": {"cat": 14, "dog": 14}, "validation": {"cat": 2, "dog": 2}, "test": {"cat": 4, "dog": 4}}


# --- the cache ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """The path of every file that is opened or read by the room from now on."""
    found: list[str] = []
    for name in ("open", "read"):
        original = getattr(listing.Listing, name)

        def noted(self, entry, original=original):
            found.append(entry.path)
            return original(self, entry)

        monkeypatch.setattr(listing.Listing, name, noted)
    return found


def test_the_second_start_reads_no_picture(folder, reads):
    root = folder("train/cat/1.png", "train/dog/1.png", "test/cat/1.png")
    for source in (root, zip_of(root)):
        first = load(source)
        assert reads
        reads.clear()
        second = load(source)
        assert reads == []
        assert isinstance(second.train.pixels, np.memmap)
        assert not second.train.pixels.flags.writeable
        assert second.fingerprint == first.fingerprint
        for split, images in first.splits.items():
            np.testing.assert_array_equal(second.splits[split].pixels, images.pixels)
            np.testing.assert_array_equal(second.splits[split].labels, images.labels)
            np.testing.assert_array_equal(second.splits[split].names, images.names)


@pytest.mark.parametrize("change", ["bytes", "touch", "add", "remove", "rename", "folder"])
def test_any_change_makes_it_read_anew_and_drops_the_old(change, folder, picture, reads, tmp_path):
    root = folder("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
    load(root)
    reads.clear()
    path = root / "cat/1.png"
    match change:
        case "bytes":
            path.write_bytes(picture(77))
        case "touch":
            os.utime(path, ns=(5, 5))
        case "add":
            (root / "cat/3.png").write_bytes(picture(78))
        case "remove":
            path.unlink()
        case "rename":
            path.rename(root / "cat/9.png")
        case "folder":
            (root / "dog/new").mkdir()
    load(root)
    assert reads
    assert len([entry for entry in (tmp_path / "cache/pictures").iterdir() if entry.is_dir()]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of the last change that a program cannot set")
@pytest.mark.parametrize("change", ["new bytes", "two files swapped"])
def test_a_change_that_leaves_size_and_time_is_seen_too(change, folder, picture):
    root = folder("cat/", "dog/")
    cat, dog = root / "cat/1.bmp", root / "dog/1.bmp"
    for seed, path in enumerate((cat, dog)):
        path.write_bytes(picture(seed, format="BMP"))
        os.utime(path, ns=(5, 5))
    before = load(root).train.pixels
    if change == "new bytes":
        cat.write_bytes(picture(7, format="BMP"))
        os.utime(cat, ns=(5, 5))
    else:
        cat.rename(root / "other")
        dog.rename(cat)
        (root / "other").rename(dog)
    after = load(root).train.pixels
    np.testing.assert_array_equal(after[0], decode(cat.read_bytes(), channels=3, size=None))
    assert not np.array_equal(after, before)


def test_other_settings_have_entries_of_their_own(folder, tmp_path):
    root = folder("cat/1.png", "dog/1.png")
    for settings in ({}, {"size": 16}, {"channels": 1}, {"size": 16, "fit": "pad"}):
        load(root, **settings)
    assert load(root, size=16).image_shape == (3, 16, 16)
    assert load(root, channels=1).image_shape == (1, 8, 8)
    assert len([entry for entry in (tmp_path / "cache/pictures").iterdir() if entry.is_dir()]) == 4


@pytest.mark.parametrize("name", ["pixels.bin", "labels.npy", "names.json", "sha256.npy", "about.json"])
def test_a_damaged_entry_is_made_anew(name, folder, reads, tmp_path):
    root = folder("cat/1.png", "dog/1.png")
    expected = load(root)
    pixels = expected.train.pixels.copy()  # the damage below reaches the open map
    (entry,) = (path for path in (tmp_path / "cache/pictures").iterdir() if path.is_dir())
    damages = (
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b" "),
        lambda path: path.unlink(),
    )
    for damage in damages if name != "about.json" else damages[::2]:
        damage(entry / name)
        reads.clear()
        data = load(root)
        assert reads
        assert data.fingerprint == expected.fingerprint
        np.testing.assert_array_equal(data.train.pixels, pixels)


def test_a_read_only_home_costs_only_the_second_start(folder, monkeypatch, tmp_path, reads):
    root = folder("cat/1.png", "dog/1.png")
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        reads.clear()
        data = load(root)
        assert reads
        assert data.train.pixels[0].shape == (8, 8, 3)


def test_a_process_killed_while_writing_leaves_nothing_that_is_used(folder, tmp_path):
    root = folder(*(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(30)))
    killed = """
import os, sys
from pathlib import Path
from wiesel.images import folder, load
taken = folder._pictures
def dying(*args):
    for count, picture in enumerate(taken(*args)):
        if count == 40:
            os._exit(9)
        yield picture
folder._pictures = dying
load(Path(sys.argv[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", killed, str(root)], check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == 9
    entries = list((tmp_path / "cache/pictures").iterdir())
    assert any(path.name.startswith(".") for path in entries)
    assert not [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    assert len(load(root).train) == 60
    assert not [path for path in (tmp_path / "cache/pictures").iterdir() if path.name.startswith(".")]


def test_many_processes_at_once_build_one_entry(folder, tmp_path):
    root = folder(*(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(30)))
    code = "import sys; from pathlib import Path; from wiesel.images import load; print(load(Path(sys.argv[1])).fingerprint)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(root)], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {process.communicate()[0].strip() for process in running}
    assert answers == {load(root).fingerprint}
    assert len([path for path in (tmp_path / "cache/pictures").iterdir() if path.is_dir()]) == 1


def test_too_little_room_is_said_before_decoding(folder, monkeypatch):
    root = folder("cat/1.png", "dog/1.png")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5_000_000})())
    with pytest.raises(NoRoom, match=r"need 68 MB in .*, where 5 MB are free"):
        load(root)


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_memory_stays_flat_while_the_cache_is_written(tmp_path):
    """300 pictures of 512 x 512 are 236 MB decoded; a few at a time fit into much less."""
    root = tmp_path / "big"
    flat = io.BytesIO()
    Image.new("RGB", (512, 512), (200, 10, 10)).save(flat, "PNG")
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(150):
            (root / name / f"{i}.png").write_bytes(flat.getvalue())
    code = """
import resource, sys
from pathlib import Path
from wiesel.images import load
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = load(Path(sys.argv[1]), size=512)
assert len(data.train) == 300
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert int(done.stdout) < 120


SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cifar10-images.zip"


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_file(), reason="../shared/data/cifar10-images.zip is not here")
def test_sixty_thousand_pictures_load_in_a_minute_and_then_at_once():
    start = time.process_time()
    first = load(SHARED)
    assert time.process_time() - start < 60
    start = time.perf_counter()
    second = load(SHARED)
    assert time.perf_counter() - start < 2
    assert second.fingerprint == first.fingerprint
    assert (len(first.train), len(first.test or ()), first.image_shape) == (50_000, 10_000, (3, 32, 32))
    assert first.left_out == ()
