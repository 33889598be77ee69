from __future__ import annotations

from pathlib import Path

import pytest

from wiesel.errors import (
    EmptyClass,
    EmptyFolder,
    NoClassFolders,
    NoTrainingSplit,
    OneClass,
    PicturesError,
    SplitTwice,
    UnknownClass,
)
from wiesel.images.layout import NO_CLASS, NO_SPLIT, Layout, arrange


def arranged(*paths: str, empty: tuple[str, ...] = ()) -> Layout:
    folders = {"/".join(path.split("/")[:i]) for path in paths for i in range(1, path.count("/") + 1)} | set(empty)
    return arrange(Path("pets"), paths, folders, files=0)


def placed(layout: Layout) -> list[tuple[str, str, str]]:
    return [(place.name, place.split, layout.classes[place.label]) for place in layout.places]


def test_class_folders():
    layout = arranged("dog/2.jpg", "cat/deep/er/1.jpg", "cat/10.jpg", "cat/9.jpg")
    assert placed(layout) == [
        ("cat/9.jpg", "train", "cat"),
        ("cat/10.jpg", "train", "cat"),
        ("cat/deep/er/1.jpg", "train", "cat"),
        ("dog/2.jpg", "train", "dog"),
    ]
    assert layout.around == ""


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
@pytest.mark.parametrize("test", ["test", "testing", "Test"])
def test_split_folders_under_all_their_names(train, val, test):
    layout = arranged(f"{train}/cat/1.jpg", f"{train}/dog/1.jpg", f"{val}/dog/2.jpg", f"{test}/cat/x/3.jpg")
    assert placed(layout) == [
        (f"{train}/cat/1.jpg", "train", "cat"),
        (f"{train}/dog/1.jpg", "train", "dog"),
        (f"{val}/dog/2.jpg", "validation", "dog"),
        (f"{test}/cat/x/3.jpg", "test", "cat"),
    ]


def test_folders_around_it_all_are_taken_off():
    layout = arranged("cifar10/train/cat/1.jpg", "cifar10/train/dog/1.jpg", "cifar10/test/cat/1.jpg")
    assert [place.name for place in layout.places] == ["train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg"]
    assert layout.places[0].path == "cifar10/train/cat/1.jpg"
    assert layout.around == "cifar10/"
    assert arranged("a/b/cat/1.jpg", "a/b/dog/1.jpg").around == "a/b/"
    assert arranged("a/train/cat/1.jpg", "a/train/dog/1.jpg").around == "a/"


def test_an_empty_folder_beside_the_one_around_it_all_is_no_class():
    layout = arranged("images/cat/1.jpg", "images/dog/1.jpg", empty=("annotations", "annotations/xmls", "images"))
    assert (layout.classes, layout.around) == (("cat", "dog"), "images/")
    arranged("z/train/cat/1.jpg", "z/train/dog/1.jpg", empty=("notes/train/cow",))


def test_numbers_as_class_names_are_in_natural_order():
    layout = arranged(*(f"{name}/x.jpg" for name in (10, 2, 1, 0, 11, 100)))
    assert layout.classes == ("0", "1", "2", "10", "11", "100")


def test_the_class_map_is_that_of_training_and_a_split_may_lack_a_class():
    layout = arranged("train/a/1.jpg", "train/b/1.jpg", "train/c/1.jpg", "test/c/2.jpg", empty=("test/a",))
    assert layout.classes == ("a", "b", "c")
    assert placed(layout)[-1] == ("test/c/2.jpg", "test", "c")


def test_a_class_that_only_another_split_has_is_refused_with_both_names():
    with pytest.raises(
        UnknownClass, match=r"The test split of pets has the class 'cow', which the training split lacks \(it has cat, dog\)"
    ):
        arranged("train/cat/1.jpg", "train/dog/1.jpg", "test/cow/1.jpg")


def test_trains_may_be_a_class():
    layout = arranged("bus/1.jpg", "car/1.jpg", "train/1.jpg")
    assert layout.classes == ("bus", "car", "train")
    assert arranged("bus/1.jpg", "car/1.jpg", "train/steam/1.jpg").classes == ("bus", "car", "train")


def test_a_test_folder_without_labels_is_no_class():
    layout = arranged("train/cat/1.jpg", "train/dog/1.jpg", "test/1.jpg", "test/2.jpg")
    assert layout.classes == ("cat", "dog")
    assert dict(layout.left_out) == {"test/1.jpg": NO_CLASS, "test/2.jpg": NO_CLASS}


def test_pictures_outside_are_left_out_and_named():
    layout = arranged("train/a/1.jpg", "train/b/1.jpg", "train/loose.jpg", "top.jpg", "test/a/1.jpg", "extra/a/1.jpg")
    assert dict(layout.left_out) == {"train/loose.jpg": NO_CLASS, "top.jpg": NO_SPLIT, "extra/a/1.jpg": NO_SPLIT}
    assert dict(arranged("a/1.jpg", "b/1.jpg", "top.jpg").left_out) == {"top.jpg": NO_CLASS}


@pytest.mark.parametrize(
    ("error", "said_en", "said_de", "paths", "empty"),
    [
        (EmptyFolder, "contains no pictures", "enthält keine Bilder", (), ("cat",)),
        (NoClassFolders, "The 2 pictures of pets lie in no class folder", "liegen in keinem Klassenordner", ("1.jpg", "2.jpg"), ()),
        (NoClassFolders, "lie in no class folder", "liegen in keinem", ("train/1.jpg", "train/2.jpg", "test/a/1.jpg"), ()),
        (NoClassFolders, "lie in no class folder", "liegen in keinem", ("train/1.jpg", "test/1.jpg"), ()),
        (NoTrainingSplit, "has test, val but no train", "aber keinen Ordner train", ("val/1.jpg", "test/1.jpg"), ()),
        (OneClass, "has only one class, 'cat'", "hat nur eine Klasse, 'cat'", ("cat/1.jpg", "cat/2.jpg"), ()),
        (OneClass, "has only one class, 'cat'", "hat nur eine Klasse, 'cat'", ("train/cat/1.jpg", "test/cat/2.jpg"), ()),
        (EmptyClass, "The class folder 'cow' of pets", "Der Klassenordner 'cow'", ("cat/1.jpg", "dog/1.jpg"), ("cow",)),
        (EmptyClass, "'cow'", "'cow'", ("train/cat/1.jpg", "train/dog/1.jpg"), ("train/cow",)),
        (EmptyClass, "'cow'", "'cow'", ("z/train/cat/1.jpg", "z/train/dog/1.jpg"), ("z/train/cow",)),
        (NoTrainingSplit, "has test, val but no train folder", "aber keinen Ordner train", ("val/a/1.jpg", "test/b/1.jpg"), ()),
        (
            SplitTwice,
            "'val' and 'valid'",
            "'val' und 'valid'",
            ("train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "valid/a/1.jpg"),
            (),
        ),
        (UnknownClass, "validation split", "Aufteilung validation", ("train/a/1.jpg", "train/b/1.jpg", "val/A/1.jpg"), ()),
    ],
)
def test_a_layout_that_cannot_be_used_is_refused_in_one_sentence(error, said_en, said_de, paths, empty, monkeypatch):
    for lang, said in (("en", said_en), ("de", said_de)):
        monkeypatch.setenv("WIESEL_LANG", lang)
        with pytest.raises(error) as caught:
            arranged(*paths, empty=empty)
        assert said in str(caught.value)
        assert isinstance(caught.value, PicturesError)


def test_composed_and_decomposed_letters_are_the_same_class():
    layout = arranged("train/K\u00e4tzchen/1.jpg", "train/b/1.jpg", "test/Ka\u0308tzchen/1.jpg")
    assert layout.classes == ("K\u00e4tzchen", "b") or layout.classes == ("b", "K\u00e4tzchen")
    assert placed(layout)[-1][2] == "K\u00e4tzchen"


def test_names_that_are_no_text_become_text_and_stay_distinct():
    layout = arranged("a/caf\udce9.jpg", "a/caf\\xe9.jpg", "b/x.jpg")
    names = [place.name for place in layout.places]
    assert sorted(names) == ["a/caf\\xe9.jpg", "a/caf\\xe9.jpg~2", "b/x.jpg"]
    assert all(name.encode() for name in names)
