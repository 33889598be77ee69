from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.images.test_near_duplicates import changed, scenes
from wiesel.errors import FolderMissing, UnknownData
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
    for source, quick in ((folder("cat/1.png", "dog/1.png"), False), ("fashion-mnist-sample", True)):
        found = check(source, quick=quick)
        assert problems(found) == {}
        assert (found["near"] is None) == quick
        assert found["probe"] is None  # quick, or too few pictures
    assert found["counts"]["train"]["Coat"] == 1000


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("unreadable", "several splits", "damaged or cut short")),
        ("de", ("nicht lesbar", "in mehreren Teilen", "beschädigt oder abgeschnitten")),
    ],
)
def test_the_findings_read_well_in_both_languages(lang, words, sick, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", lang)
    page = text(check(sick))
    assert all(word in page for word in words)
    assert "train/cat/bad.png: " in page


def test_a_single_finding_is_said_as_one(folder, monkeypatch):
    root = folder("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
    (root / "cat/3.png").write_bytes((root / "cat/1.png").read_bytes())
    for lang, said in (("en", "1  group of equal pictures"), ("de", "1  Gruppe gleicher Bilder")):
        monkeypatch.setenv("WIESEL_LANG", lang)
        assert said in text(check(root, quick=True))


def test_names_cannot_control_the_terminal(folder, picture):
    root = folder("cat/1.png", "dog/1.png")
    (root / "cat" / "\x1b[31mred\n.png").write_bytes(b"broken")
    page = text(check(root))
    assert "\x1b" not in page
    assert "\\x1b[31mred\\n.png" in page


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FolderMissing):
        check(tmp_path / "nothing")
    with pytest.raises(UnknownData, match="fashion-mnist"):
        check("fashion-mnis")


@pytest.fixture
def photographs(tmp_path):
    """60 distinct soft pictures in two classes and two splits, with near copies: a leak, a conflict, one within a class."""
    every = scenes(60)
    root = tmp_path / "photographs"
    for row, pixels in enumerate(every):
        save(root / ("test" if row >= 50 else "train") / ("cat" if row % 2 else "dog") / f"{row:02}.png", pixels)
    save(root / "test/cat/leak.png", changed(every[1], quality=60))
    save(root / "train/cat/liar.png", changed(every[2], flip=True, quality=85))
    save(root / "train/dog/again.png", changed(every[4], box=(2, 2, 46, 46)))
    save(root / "train/dog/dark.png", every[59] // 8)
    save(root / "train/dog/long.png", np.concatenate([every[58]] * 3, axis=1))
    return root


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_near_copies_leaks_and_contradictions_are_found(photographs):
    found = check(photographs)
    near = {frozenset(item["pictures"]): item["how"] for item in found["near_duplicates"]}
    leak, liar = frozenset(("train/cat/01.png", "test/cat/leak.png")), frozenset(("train/dog/02.png", "train/cat/liar.png"))
    again = frozenset(("train/dog/04.png", "train/dog/again.png"))
    assert near.pop(leak) == "same"
    assert near.pop(liar) == "mirrored"
    assert near.pop(again) == "cropped"
    assert all(pair & {"train/dog/dark.png", "train/dog/long.png"} for pair in near)  # these two are copies, too, in a way
    assert leak in {frozenset(item["pictures"]) for item in found["near_leaks"]}
    assert {frozenset(item["pictures"]) for item in found["near_conflicts"]} >= {liar}
    assert again not in {frozenset(item["pictures"]) for item in found["near_leaks"] + found["near_conflicts"]}
    assert found["duplicates"] == []
    assert found["dark"] == ["train/dog/dark.png"]
    assert found["odd_sizes"] == ["train/dog/long.png"]
    assert 0.03 < found["near"]["difference"] <= 0.04
    assert 0.3 < found["probe"]["accuracy"] < 0.7  # the classes are random
    assert json.loads(json.dumps(found)) == found
    assert "near" in text(found)


def test_quick_looks_for_neither_near_copies_nor_doubtful_labels(photographs, monkeypatch):
    found = check(photographs, quick=True)
    assert found["near"] is found["probe"] is None
    assert found["near_duplicates"] == found["suspicious_labels"] == []
    assert found["dark"] == ["train/dog/dark.png"]
    assert text(found).count("not looked for") == 4


def test_a_class_with_few_pictures_is_rare(folder):
    root = folder(*(f"cat/{i}.png" for i in range(11)), "dog/1.png", "dog/2.png")
    assert check(root, quick=True)["rare"] == ["dog"]
