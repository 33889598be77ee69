from __future__ import annotations

import json
import shutil
import zipfile

import pytest
from PIL import Image

from wiesel.errors import FolderMissing
from wiesel.images.check import check, problems, text


@pytest.fixture
def sick(folder, picture):
    root = folder(*(f"{split}/{name}/{i}.png" for split in ("train", "test") for name in ("cat", "dog") for i in range(4)))
    shutil.copy(root / "train/cat/0.png", root / "train/cat/copy.png")  # duplicate
    shutil.copy(root / "train/dog/1.png", root / "test/dog/leak.png")  # leak
    shutil.copy(root / "train/cat/2.png", root / "train/dog/conflict.png")  # two labels
    with Image.open(root / "train/dog/3.png") as image:
        image.save(root / "train/dog/other.bmp")  # the same pixels in another format
    (root / "train/cat/bad.png").write_bytes((root / "train/cat/0.png").read_bytes()[:70])
    (root / "train/cat/late.jpg").write_bytes(picture(500))  # a PNG
    (root / "readme.txt").write_text("hello")
    return root


def test_every_sickness_is_found(sick):
    found = check(sick)
    assert json.loads(json.dumps(found)) == found
    assert found["unreadable"] == ["train/cat/bad.png"]
    assert "damaged" in found["reasons"]["train/cat/bad.png"]
    assert found["left_out"] == ["readme.txt"]
    assert sorted(map(sorted, found["duplicates"])) == [
        ["test/dog/leak.png", "train/dog/1.png"],
        ["train/cat/0.png", "train/cat/copy.png"],
        ["train/cat/2.png", "train/dog/conflict.png"],
        ["train/dog/3.png", "train/dog/other.bmp"],
    ]
    assert [sorted(group) for group in found["leaks"]] == [["test/dog/leak.png", "train/dog/1.png"]]
    assert [sorted(group) for group in found["conflicts"]] == [["train/cat/2.png", "train/dog/conflict.png"]]
    assert found["mislabelled_extension"] == ["train/cat/late.jpg"]
    assert found["counts"] == {"train": {"cat": 6, "dog": 6}, "test": {"cat": 4, "dog": 5}}
    assert problems(found) == {"unreadable": 1, "duplicates": 4, "leaks": 1, "conflicts": 1}


def test_paths_in_a_zip_are_those_in_the_zip(sick):
    with zipfile.ZipFile(sick.with_suffix(".zip"), "w") as archive:
        for path in sorted(sick.rglob("*")):
            archive.write(path, f"around/{path.relative_to(sick).as_posix()}")
    found = check(sick.with_suffix(".zip"))
    assert found["unreadable"] == ["around/train/cat/bad.png"]
    assert [sorted(group) for group in found["leaks"]] == [["around/test/dog/leak.png", "around/train/dog/1.png"]]
    assert found["mislabelled_extension"] == ["around/train/cat/late.jpg"]


def test_a_healthy_folder_and_a_healthy_named_set_have_no_problems(folder):
    for source in (folder("cat/1.png", "dog/1.png"), "fashion-mnist-sample"):
        found = check(source)
        assert problems(found) == {}
    assert found["counts"]["train"]["Coat"] == 1000


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("unreadable", "several splits")), ("de", ("nicht lesbar", "in mehreren Teilen"))]
)
def test_the_findings_read_well_in_both_languages(lang, words, sick, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", lang)
    page = text(check(sick))
    assert all(word in page for word in words)
    assert "train/cat/bad.png: " in page


def test_names_cannot_control_the_terminal(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    (root / "cat" / "\x1b[31mred\n.png").write_bytes(b"broken")
    page = text(check(root))
    assert "\x1b" not in page
    assert "\\x1b[31mred\\n.png" in page


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FolderMissing):
        check(tmp_path / "nothing")
