"""One writer per run folder."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import filelock
import pytest
from test_run_folder import in_parallel

from wiesel.errors import CannotSave, RunBusy
from wiesel.runs import RunFolder
from wiesel.runs.commit import write_file

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def fingerprint(folder: Path) -> str:
    state = [(str(p.relative_to(folder)), p.is_file() and p.read_bytes()) for p in sorted(folder.rglob("*"))]
    return hashlib.sha256(repr(state).encode()).hexdigest()


def holder(run: RunFolder, *, with_child: bool = False) -> tuple[int, int]:
    """A process that has the lock and keeps it; with a worker process of its own, forked while it has it. (pid, worker)"""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with run.lock():
            worker = os.fork() if with_child else 0
            if with_child and worker == 0:
                time.sleep(60)
                os._exit(0)
            os.write(write, str(worker).encode() + b"\n")
            time.sleep(60)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        worker = int(pipe.readline())
    return pid, worker


@pytest.mark.parametrize("attempt", range(5))
def test_of_eight_processes_exactly_one_wins_and_the_others_name_it_and_change_nothing(tmp_path, attempt):
    run = RunFolder.create(tmp_path / "run")
    beaten_read, beaten_write = os.pipe()

    def contend(number: int) -> bytes:
        try:
            with run.lock():
                seen = fingerprint(run.path)
                for _ in range(7):  # keep it until all the others have given up
                    assert select.select([beaten_read], [], [], 20)[0], "two winners"
                    os.read(beaten_read, 1)
                return b"won %d %s" % (os.getpid(), seen.encode())
        except RunBusy as busy:
            answer = b"busy %d %s" % (busy.pid, fingerprint(run.path).encode())
            os.write(beaten_write, b".")
            return answer

    answers = [answer.split() for answer in in_parallel(8, contend)]
    os.close(beaten_read)
    os.close(beaten_write)
    winners = [answer for answer in answers if answer and answer[0] == b"won"]
    losers = [answer for answer in answers if answer and answer[0] == b"busy"]
    assert (len(winners), len(losers)) == (1, 7)
    assert {pid for _, pid, _ in losers} == {winners[0][1]}
    assert {seen for _, _, seen in answers} == {winners[0][2]}


def test_the_busy_sentence_names_process_host_and_time(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    run = RunFolder.create(tmp_path / "run")
    pid, _ = holder(run)
    try:
        with pytest.raises(RunBusy) as caught, run.lock():
            pass
        assert f"is being written by process {pid} on {socket.gethostname()} since 20" in str(caught.value)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("with_child", [False, True], ids=["alone", "with a worker that lives on"])
def test_a_killed_owner_blocks_nobody(tmp_path, with_child):
    run = RunFolder.create(tmp_path / "run")
    pid, worker = holder(run, with_child=with_child)
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with run.lock():
            pass
    finally:
        if worker:
            os.kill(worker, signal.SIGKILL)


def test_a_program_that_the_owner_started_does_not_hold_the_lock(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    with run.lock():
        program = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        with run.lock():
            pass
    finally:
        program.kill()
        program.wait()


def test_the_same_process_cannot_have_it_twice_and_gets_it_again_afterwards(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    for _ in range(2):
        with run.lock():
            with pytest.raises(RunBusy) as caught, run.lock():
                pass
            assert caught.value.pid == os.getpid()
        assert not (run.path / ".owner.json").exists()


def test_an_error_inside_gives_the_lock_back(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    with pytest.raises(KeyError), run.lock():
        raise KeyError
    with run.lock():
        pass


def test_getting_the_lock_sweeps_away_what_dead_writers_left(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    (run.checkpoints / ".tmp-1-aa").mkdir()
    (run.checkpoints / ".tmp-1-aa" / "model.safetensors").write_bytes(b"half")
    (run.path / ".tmp-1-bb").write_bytes(b"an old half")
    os.utime(run.path / ".tmp-1-bb", (1, 1))
    (run.path / ".tmp-1-cc").write_bytes(b"somebody writes this report right now")
    with run.lock():
        pass
    assert [p.name for p in run.path.rglob(".tmp-*")] == [".tmp-1-cc"]


def test_a_lock_that_is_a_link_is_refused_and_its_target_untouched(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    (tmp_path / "outside").write_bytes(b"precious")
    (run.path / ".lock").symlink_to(tmp_path / "outside")
    with pytest.raises(CannotSave), run.lock():
        pass
    assert (tmp_path / "outside").read_bytes() == b"precious"


def test_the_note_of_a_dead_owner_is_not_taken_for_that_of_the_new_one(tmp_path):
    """The new owner has the lock already and writes its note a moment later."""
    run = RunFolder.create(tmp_path / "run")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    note = {"pid": child, "host": socket.gethostname(), "since": "long ago"}
    (run.path / ".owner.json").write_text(json.dumps(note))
    lock = filelock.FileLock(run.path / ".lock")
    with lock:
        with pytest.raises(RunBusy) as nobody, run.lock():
            pass
        timer = threading.Timer(0.3, write_file, (run.path / ".owner.json", json.dumps({**note, "pid": os.getpid()}).encode()))
        timer.start()
        with pytest.raises(RunBusy) as caught, run.lock():
            pass
        timer.join()
    assert (nobody.value.pid, caught.value.pid) == ("?", os.getpid())


@pytest.mark.parametrize("note", [b"", b"[]", b'{"pid": -1, "host": "h", "since": "s"}', b'{"pid": "x"}', b"[" * 99999])
def test_a_note_that_says_nothing_does_not_matter(tmp_path, note):
    run = RunFolder.create(tmp_path / "run")
    (run.path / ".owner.json").write_bytes(note)
    with run.lock():
        pass
