"""Writing: what a reader finds after any single failure at any system call."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import shutil
import signal
from pathlib import Path

import pytest
from failing_disc import FAULTS, FailingOs, Killed, replaced_os

from wiesel.errors import CannotSave, Damaged, FolderTaken
from wiesel.runs import commit
from wiesel.runs.commit import append_line, commit_folder, make_folder, put, sweep, verify, write_file

CONTENTS = {"a.bin": bytes(range(256)) * 20, "empty.bin": b"", "z.json": b'{"x": 1}'}


def write_contents(folder: Path) -> None:
    for name, data in CONTENTS.items():
        put(folder / name, data)


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def temporaries(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".tmp-*")]


def test_a_committed_folder_holds_the_files_and_their_sizes_and_hashes(tmp_path):
    entries = commit_folder(tmp_path / "new", write_contents)
    written = read_all(tmp_path / "new")
    assert json.loads(written.pop("MANIFEST.json")) == entries
    assert written == CONTENTS
    assert entries == {n: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in CONTENTS.items()}
    assert temporaries(tmp_path) == []


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "dangling link"])
def test_a_name_that_exists_is_never_overwritten(tmp_path, kind):
    target = tmp_path / "new"
    if kind == "folder":
        commit_folder(target, write_contents)
    elif kind == "empty folder":
        target.mkdir()
    elif kind == "file":
        target.write_bytes(b"mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*")), read_all(tmp_path)
    with pytest.raises(FolderTaken, match="already exists"):
        commit_folder(target, lambda folder: put(folder / "b", b"other"))
    assert (sorted(tmp_path.rglob("*")), read_all(tmp_path)) == before


def test_a_name_that_appears_while_writing_is_not_overwritten_either(tmp_path):
    def slow(folder: Path) -> None:
        put(folder / "a", b"1")
        (tmp_path / "new").mkdir()

    with pytest.raises(FolderTaken):
        commit_folder(tmp_path / "new", slow)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert list((tmp_path / "new").iterdir()) == []


def test_an_error_of_the_writer_passes_and_leaves_nothing(tmp_path):
    def broken(folder: Path) -> None:
        write_contents(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commit_folder(tmp_path / "new", broken)
    assert list(tmp_path.iterdir()) == []


def test_only_plain_files_can_be_committed(tmp_path):
    with pytest.raises(ValueError, match="inner"):
        commit_folder(tmp_path / "new", lambda folder: (folder / "inner").mkdir())
    with pytest.raises(ValueError, match="link"):
        commit_folder(tmp_path / "new", lambda folder: (folder / "link").symlink_to("/etc/hostname"))
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_change_on_the_way_to_the_disc_are_noticed(tmp_path, monkeypatch):
    genuine = commit._flush_folder

    def rotten(path: Path) -> None:
        if path.name.startswith(".tmp-"):
            with (path / "a.bin").open("r+b") as file:
                file.write(b"\xff")
        genuine(path)

    monkeypatch.setattr(commit, "_flush_folder", rotten)
    with pytest.raises(CannotSave, match=r"reads back as 'a\.bin' \(altered\)"):
        commit_folder(tmp_path / "new", write_contents)
    assert list(tmp_path.iterdir()) == []


def test_more_than_is_free_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(CannotSave) as caught:
        commit_folder(tmp_path / "new", write_contents, needed=2**60)
    assert "1,152,921,504,606,846,976 bytes needed" in str(caught.value)
    assert "untouched." in str(caught.value)
    assert 0 < caught.value.free < 2**60
    assert list(tmp_path.iterdir()) == []


def count_calls(action) -> list[str]:
    with replaced_os(FailingOs()) as counting:
        action()
    return counting.calls


def test_every_failure_at_every_call_of_a_folder_commit_leaves_all_or_nothing(fast):
    old = fast / "old"
    commit_folder(old, write_contents)
    old_bytes = read_all(old)
    calls = count_calls(lambda: commit_folder(fast / "counted", write_contents))
    assert len(calls) >= 38
    cases = 0
    for at in range(len(calls)):
        for fault in FAULTS:
            if fault.when == "half" and calls[at] != "write":
                continue
            cases += 1
            where = f"{fault} call {at} ({calls[at]})"
            place = fast / "place"
            place.mkdir()
            done = False
            with replaced_os(FailingOs(at, fault)):
                try:
                    commit_folder(place / "new", write_contents)
                    done = True
                except (CannotSave, KeyboardInterrupt, Killed):
                    pass
            assert read_all(old) == old_bytes, where
            if fault.error is not Killed and not fault.lasting:
                assert (place / "new").exists() == done, where  # an error means: nothing has changed
            if (place / "new").exists():
                verify(place / "new", required=CONTENTS)
                assert {name: data for name, data in read_all(place / "new").items() if name in CONTENTS} == CONTENTS, where
            else:
                assert not done, where
            if fault.error is not Killed and fault.error != errno.EIO:  # a disc that is broken for good cannot even clean up
                assert temporaries(place) == [] or done, where
            sweep(place)
            if not (place / "new").exists():
                commit_folder(place / "new", write_contents)  # the next try works
            assert temporaries(place) == [], where
            shutil.rmtree(place)
    assert cases > 450


def test_every_failure_at_every_call_of_a_file_write_leaves_the_old_or_the_new(fast):
    path = fast / "evaluation.json"
    old, new = b"old" * 1000, b"new" * 2000

    def act() -> None:
        write_file(path, new)

    path.write_bytes(old)
    calls = count_calls(act)
    for at in range(len(calls)):
        for fault in FAULTS:
            path.write_bytes(old)
            done = False
            with replaced_os(FailingOs(at, fault)):
                try:
                    act()
                    done = True
                except (CannotSave, KeyboardInterrupt, Killed):
                    pass
            found = path.read_bytes()
            assert found == new if done else found in (old, new), f"{fault} call {at} ({calls[at]})"
            if fault.error is not Killed and not fault.lasting:
                assert temporaries(fast) == [], f"{fault} call {at} ({calls[at]})"
            sweep(fast)
            assert [p.name for p in fast.iterdir()] == [path.name]


def test_every_failure_at_every_call_of_an_append_keeps_the_rows_before_and_the_next_one_works(fast):
    path = fast / "events.jsonl"
    rows = [{"kind": "train", "step": step} for step in range(3)]

    def lines() -> list[object]:
        found = []
        for line in path.read_bytes().split(b"\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    for start in (b"", b'{"kind": "tra'):  # after a whole row, after a torn one
        beginning = b"".join(json.dumps(row).encode() + b"\n" for row in rows[:2]) + start
        path.write_bytes(beginning)
        calls = count_calls(lambda: append_line(path, rows[2]))
        for at in range(len(calls)):
            for fault in FAULTS:
                path.write_bytes(beginning)
                done = False
                with replaced_os(FailingOs(at, fault)):
                    try:
                        append_line(path, rows[2])
                        done = True
                    except (CannotSave, KeyboardInterrupt, Killed):
                        pass
                where = f"{fault} call {at} ({calls[at]})"
                assert lines() == rows if done else lines() in (rows, rows[:2]), where
                last = {"kind": "train", "step": 99}
                append_line(path, last)
                assert lines()[-1] == last, where
                assert lines()[:2] == rows[:2], where


def test_a_link_in_place_of_a_file_is_replaced_and_what_it_points_to_stays(tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (tmp_path / "report.html").symlink_to(outside)
    write_file(tmp_path / "report.html", b"page")
    assert outside.read_bytes() == b"precious"
    assert not (tmp_path / "report.html").is_symlink()
    (tmp_path / "events.jsonl").symlink_to(outside)
    with pytest.raises(CannotSave):
        append_line(tmp_path / "events.jsonl", {"kind": "train", "step": 1})
    assert outside.read_bytes() == b"precious"


def test_numbers_that_are_not_finite_become_null_in_a_row_and_numpy_numbers_are_numbers(tmp_path):
    import numpy as np

    append_line(tmp_path / "e", {"loss": float("nan"), "best": float("-inf"), "n": np.int64(3), "x": np.float32(0.5)})
    assert json.loads((tmp_path / "e").read_text()) == {"loss": None, "best": None, "n": 3, "x": 0.5}


def test_folders_are_made_with_their_parents_and_only_once(tmp_path):
    make_folder(tmp_path / "a" / "b" / "c")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a" / "b" / "c")


def test_sweeping_takes_only_unfinished_things_that_are_old_enough(tmp_path):
    (tmp_path / ".tmp-1-aa").mkdir()
    (tmp_path / ".tmp-1-aa" / "half").write_bytes(b"x")
    (tmp_path / ".tmp-1-bb").write_bytes(b"x")
    (tmp_path / ".tmp-link").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"x")
    sweep(tmp_path, older_than=100)
    assert len(list(tmp_path.iterdir())) == 4
    os.utime(tmp_path / ".tmp-1-bb", (1, 1))
    sweep(tmp_path, older_than=100)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".tmp-1-aa", ".tmp-link", "kept"]
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert read_all(tmp_path) == {"kept/file": b"x"}


def test_errors_say_path_reason_needed_and_free_in_both_languages(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(CannotSave) as caught:
        write_file(tmp_path / "missing" / "x.json", b"12345")
    assert "No such file or directory (5 bytes needed" in str(caught.value)
    assert "checkpoint" not in str(caught.value)  # it is no part of a run
    (tmp_path / "my run").mkdir()
    (tmp_path / "my run" / "recipe.toml").write_text("")
    with pytest.raises(CannotSave) as inside:
        write_file(tmp_path / "my run" / "missing" / "x.json", b"12345")
    assert f"checkpoint is intact; free space and `wiesel train --resume '{tmp_path / 'my run'}'`" in str(inside.value)
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert "konnte nicht geschrieben werden" in str(caught.value)


def test_a_file_size_limit_is_an_error_with_a_sentence_and_leaves_nothing(tmp_path):
    commit_folder(tmp_path / "old", write_contents)
    before = read_all(tmp_path / "old")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            try:
                commit_folder(tmp_path / "new", write_contents)
            except CannotSave as error:
                code = 42 if "File too large" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert read_all(tmp_path / "old") == before


def test_verify_names_what_is_missing_and_what_is_altered(tmp_path):
    commit_folder(tmp_path / "new", write_contents)
    (tmp_path / "new" / "a.bin").unlink()
    (tmp_path / "new" / "z.json").write_bytes(b'{"x": 2}')
    with pytest.raises(Damaged) as caught:
        verify(tmp_path / "new", required=["other"])
    assert caught.value.names == ("other", "a.bin", "z.json")
    assert "'other' (not in the manifest), 'a.bin' (missing), 'z.json' (altered)" in str(caught.value)
