"""The history of a run: torn lines, and what counts after interruptions."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wiesel.errors import Damaged
from wiesel.runs import events


def row(kind: str, step: int, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "step": step, "time": "…", **facts}


def undisturbed(steps: int = 40) -> list[dict[str, Any]]:
    """What a run writes: a row per step, an epoch and a checkpoint every 10 steps."""
    rows = [row("start", 0)]
    for step in range(1, steps + 1):
        rows.append(row("train", step, loss=1 / step))
        if step % 10 == 0:
            rows += [row("epoch", step, accuracy=step / 100), row("commit", step)]
    return [*rows, row("end", steps)]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in rows)


def test_a_row_has_kind_step_and_time_in_utc(tmp_path):
    path = tmp_path / "events.jsonl"
    written = events.append(path, "train", 3, loss=0.5, rate=0.1)
    assert events.rows(path) == [written]
    assert path.read_bytes().startswith(b'{"kind":"train","step":3,"time":"')
    assert {k: v for k, v in written.items() if k != "time"} == {"kind": "train", "step": 3, "loss": 0.5, "rate": 0.1}
    assert datetime.fromisoformat(written["time"]).utcoffset().total_seconds() == 0


def test_no_file_is_an_empty_history(tmp_path):
    assert events.rows(tmp_path / "events.jsonl") == []


def test_a_file_cut_at_any_byte_of_its_last_2_kb_loses_at_most_the_torn_row(fast):
    path = fast / "events.jsonl"
    rows = undisturbed(60)
    whole = lines(rows)
    ends = [position for position, byte in enumerate(whole) if byte == 10]
    last = row("train", 999, loss=0.25)
    assert len(whole) > 3000
    for length in range(len(whole) - 2048, len(whole) + 1):
        path.write_bytes(whole[:length])
        expected = rows[: sum(end <= length for end in ends)]  # a row whose newline alone is missing counts
        assert events.rows(path) == expected, length
        events.append_line(path, last)
        assert events.rows(path) == [*expected, last], length


def test_a_torn_line_in_the_middle_hides_no_other_row(tmp_path):
    path = tmp_path / "events.jsonl"
    rows = undisturbed(3)
    path.write_bytes(lines(rows[:2]) + b'{"kind":"train","st\n' + b"\n\0\0\0\n\xff\xfe\n[1]\n3\n" + lines(rows[2:]))
    assert events.rows(path) == rows


@pytest.mark.parametrize(
    "line",
    [
        b'{"step": 1}',
        b'{"kind": 3, "step": 1}',
        b'{"kind": "train", "step": "1"}',
        b'{"kind": "train", "step": -1}',
        b'{"kind": "train", "step": 1.5}',
        b'{"kind": "train", "step": true}',
        b"[" * 100_000,
        b'{"kind":' * 50_000,
    ],
)
def test_what_is_not_a_row_is_passed_over(tmp_path, line):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line + b"\n" + lines([row("train", 1)]))
    assert events.rows(path) == [row("train", 1)]


def test_resuming_takes_back_the_rows_after_its_step_and_nothing_else():
    history = [
        row("start", 0),
        row("train", 1, loss=0.9),
        row("epoch", 1),
        row("commit", 1),
        row("train", 2, loss=0.8),
        row("stop", 2),
        row("resume", 1),
        row("train", 2, loss=0.7),
        row("epoch", 2),
        row("end", 2),
    ]
    assert events.effective(history) == [history[0], history[1], history[2], history[3], history[7], history[8], history[9]]


def test_each_kind_and_step_counts_once_and_the_first_stays():
    history = [row("train", 1, loss=1), row("train", 1, loss=2), row("epoch", 1), row("train", 2)]
    assert events.effective(history) == [history[0], history[2], history[3]]


def test_going_on_after_the_end_takes_the_end_back():
    history = [row("train", 1), row("end", 1), row("resume", 1), row("train", 2), row("end", 2)]
    assert events.effective(history) == [row("train", 1), row("train", 2), row("end", 2)]


def test_rows_without_a_step_stay():
    history = [{"kind": "note", "text": "a"}, row("train", 5), {"kind": "note", "text": "b"}, row("resume", 1), {"kind": "resume"}]
    assert events.effective(history) == [{"kind": "note", "text": "a"}, {"kind": "note", "text": "b"}]


def interrupted(path: Path, chance: random.Random, cuts: int) -> None:
    """Write the undisturbed history, but crash `cuts` times at any byte, and go on each time from the newest checkpoint named."""
    rows = undisturbed()
    path.write_bytes(b"")
    begin = 0
    for number in range(cuts + 1):
        before, part = path.read_bytes(), lines(rows[begin:])
        newline = b"" if not before or before.endswith(b"\n") else b"\n"  # as append_line does it
        path.write_bytes(before + newline + (part if number == cuts else part[: chance.randrange(len(part) + 1)]))
        if number < cuts:
            found = events.rows(path)
            committed = max((r["step"] for r in events.effective(found) if r["kind"] == "commit"), default=0)
            events.append(path, "resume", committed)
            if not any(r["kind"] == "start" for r in found):
                begin = 0
            else:
                begin = next((i for i, r in enumerate(rows) if r["step"] == committed + 1), len(rows) - 1)


def test_the_effective_history_of_an_interrupted_run_is_that_of_an_undisturbed_one(fast):
    path = fast / "events.jsonl"
    chance = random.Random(7)
    for trial in range(300):
        interrupted(path, chance, cuts=trial % 6)
        assert events.effective(events.rows(path)) == undisturbed(), trial


def test_a_history_that_is_no_plain_file_is_refused(tmp_path):
    import os

    (tmp_path / "outside").write_bytes(lines([row("train", 1)]))
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "outside")
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jsonl")
    with (tmp_path / "huge.jsonl").open("wb") as file:
        file.truncate(2**40)
    for name in ("link", "dangling", "pipe", "huge"):
        with pytest.raises(Damaged, match=name):
            events.rows(tmp_path / f"{name}.jsonl")
