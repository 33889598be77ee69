"""Predictions on disk: the same bytes for the same numbers, and a plain sentence for every damaged file."""

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.errors import DamagedPredictions, LabelOutside, LogitNotFinite, NoPredictions, NothingToMeasure, RunError, UnfitArray
from wiesel.evaluation.predictions import Predictions

LOGITS = np.array([[1.5, -2, 0], [0, 3, 1], [2, 2, 2], [-1, 0, 1]], np.float32)
GOOD = {"logits": LOGITS, "labels": np.array([0, 1, 2, 1]), "names": np.array(["test/0", "test/1", "test/hünd/2.jpg", "test/猫"])}


def file_of(path, **changes):
    np.savez(path, **{**GOOD, **changes})
    return path


def test_what_is_saved_is_read_again(tmp_path):
    Predictions(**GOOD).save(tmp_path / "test.npz")
    found = Predictions.from_file(tmp_path / "test.npz")
    for name, array in GOOD.items():
        assert getattr(found, name).dtype == array.dtype
        np.testing.assert_array_equal(getattr(found, name), array)
    assert len(found) == 4
    assert [file.name for file in tmp_path.iterdir()] == ["test.npz"]


def test_the_same_predictions_give_the_same_bytes_at_any_time():
    first = Predictions(**GOOD).to_bytes()
    assert Predictions(**GOOD).to_bytes() == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_other_kinds_of_numbers_are_brought_to_the_saved_ones():
    found = Predictions.of(LOGITS.astype(np.float64), np.array([0, 1, 2, 1], np.int16), ["a", "b", "c", "d"])
    assert (found.logits.dtype, found.labels.dtype, found.names.dtype.kind) == (np.float32, np.int64, "U")
    with pytest.raises(UnfitArray, match="labels"):
        Predictions.of(LOGITS, [0.0, 1.0, 2.0, 1.0], ["a", "b", "c", "d"])
    with pytest.raises(LogitNotFinite, match=r"logits\[0, 1\]"):
        Predictions.of([[0, 1e300]], [0], ["a"])


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(NoPredictions, match=r"test\.npz: there are no predictions. `wiesel evaluate`"):
        Predictions.from_file(tmp_path / "test.npz")


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "cannot be read as predictions"), ("de", "lässt sich nicht als Vorhersagen lesen")]
)
def test_something_else_is_not_taken_for_predictions(tmp_path, monkeypatch, language, sentence):
    monkeypatch.setenv("WIESEL_LANG", language)
    one_array = io.BytesIO()
    np.save(one_array, LOGITS)
    missing = io.BytesIO()
    np.savez(missing, logits=LOGITS, labels=GOOD["labels"])
    for content in (b"", b"hello", b"PK\x03\x04 nearly", one_array.getvalue(), missing.getvalue()):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(DamagedPredictions, match=sentence):
            Predictions.from_file(tmp_path / "x.npz")
    with pytest.raises(DamagedPredictions):
        Predictions.from_file(tmp_path)


class Trap:
    """Makes the folder `sprung` when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, **{**GOOD, "names": np.array([Trap(tmp_path / "sprung")] * 4, object)})
    with pytest.raises(DamagedPredictions, match="allow_pickle=False"):
        Predictions.from_file(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"logits": LOGITS.astype(np.float64)}, UnfitArray, "logits is float64 (4, 3), expected float32 (N, K)"),
        ({"logits": LOGITS[0]}, UnfitArray, "logits is float32 (3,), expected float32 (N, K)"),
        ({"logits": LOGITS[:, :1]}, UnfitArray, "logits is float32 (4, 1), expected float (N, K >= 2)"),
        ({"logits": LOGITS.astype(">f4")}, UnfitArray, "expected float32"),
        ({"labels": GOOD["labels"].astype(np.int32)}, UnfitArray, "labels is int32 (4,), expected int64 (N,)"),
        ({"labels": GOOD["labels"][:3]}, UnfitArray, "labels is int64 (3,), expected int (4,)"),
        ({"names": GOOD["names"][:3]}, UnfitArray, "names is <U15 (3,), expected str (4,)"),
        ({"names": np.arange(4)}, UnfitArray, "names is int64 (4,), expected str (N,)"),
        ({"names": GOOD["names"].astype(">U15")}, UnfitArray, "names is >U15 (4,), expected str (N,)"),
        ({"names": np.array([b"a", b"b", b"c", b"d"])}, UnfitArray, "names is |S1 (4,), expected str (N,)"),
        ({"labels": np.array([0, 1, 3, 1])}, LabelOutside, "labels[2] is 3"),
        ({"labels": np.array([0, -1, 2, 1])}, LabelOutside, "labels[1] is -1"),
        ({"logits": np.where(LOGITS == 3, np.nan, LOGITS)}, LogitNotFinite, "logits[1, 1] is nan"),
        ({name: array[:0] for name, array in GOOD.items()}, NothingToMeasure, "no picture"),
    ],
)
def test_numbers_that_cannot_be_right_are_refused_with_file_place_and_value(tmp_path, monkeypatch, changes, error, says):
    monkeypatch.setenv("WIESEL_LANG", "en")
    path = file_of(tmp_path / "test.npz", **changes)
    with pytest.raises(error) as from_disk:
        Predictions.from_file(path)
    assert str(path) in str(from_disk.value)
    assert says in str(from_disk.value)
    with pytest.raises(error) as in_memory:
        Predictions(**{**GOOD, **changes})
    assert says in str(in_memory.value)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_sentence_exists_in_both_languages(monkeypatch, language):
    monkeypatch.setenv("WIESEL_LANG", language)
    facts = {
        "where": "w",
        "array": "a",
        "found": "f",
        "expected": "e",
        "row": 1,
        "column": 2,
        "value": 3,
        "count": 4,
        "classes": 5,
        "path": "p",
    }
    for kind in (NothingToMeasure, UnfitArray, LogitNotFinite, LabelOutside, NoPredictions, DamagedPredictions):
        assert issubclass(kind, RunError)
        assert len(str(kind(**facts, cause="c"))) > 40
        assert kind.en != kind.de


WHOLE = Predictions(**GOOD).to_bytes()


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_damaged(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "x.npz"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(DamagedPredictions):
        Predictions.from_file(path)


@settings(max_examples=200)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_means_nothing(tmp_path_factory, position, change):
    altered = bytearray(WHOLE)
    altered[position] ^= change
    path = tmp_path_factory.mktemp("flip") / "x.npz"
    path.write_bytes(altered)
    try:
        found = Predictions.from_file(path)
    except RunError:
        return
    for name, array in GOOD.items():
        np.testing.assert_array_equal(getattr(found, name), array)
