"""Power cuts without pulling the plug: record what is written, then build every disc that a power cut could leave behind.

What was flushed is on the disc. Of what was not, anything may be missing or there, in any combination: each change of a folder's
names (a rename is one change, and is there whole or not at all) and the content of each file (nothing of it, all of it, its first
half, or the right length full of zeros). That is more than a journalling file system would ever lose.
"""

# A stand-in for `os` calls `os`:
# ruff: noqa: PTH102, PTH104, PTH106, PTH108

from __future__ import annotations

import hashlib
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(eq=False)
class Node:
    """A file (`data`) or a folder (`names`)."""

    folder: bool
    names: dict[str, Node] = field(default_factory=dict)
    data: bytes = b""


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that happened. `kind`: "names" (a folder's names change), "data", "flush" or "done" (somebody was told so)."""

    kind: str
    node: Node | None = None
    change: tuple[tuple[str, Node | None], ...] = ()
    """Names that appear (with their node) or vanish (None), at once."""
    data: bytes = b""
    """The whole content afterwards."""
    what: str = ""
    """The path flushed, or what was done."""


class Recorder:
    """`os` for the room's files: does everything for real below `top`, and writes it down. `top` must be empty."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = Node(folder=True)
        self.steps: list[Step] = []
        self.opened: dict[int, tuple[Node, str]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def done(self, what: str) -> None:
        self.steps.append(Step("done", what=what))

    def _at(self, path: Any) -> Node:
        node = self.root
        for part in Path(path).relative_to(self.top).parts:
            node = node.names[part]
        return node

    def _rename_in(self, path: Any, *changes: tuple[str, Node | None]) -> None:
        parent = self._at(Path(path).parent)
        for name, node in changes:
            if node is None:
                parent.names.pop(name, None)
            else:
                parent.names[name] = node
        self.steps.append(Step("names", parent, changes))

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        new = not os.path.lexists(path)
        descriptor = os.open(path, flags, mode)
        if new:
            self._rename_in(path, (Path(path).name, Node(folder=False)))
        self.opened[descriptor] = self._at(path), str(Path(path).relative_to(self.top))
        return descriptor

    def close(self, descriptor: int) -> None:
        os.close(descriptor)
        del self.opened[descriptor]

    def write(self, descriptor: int, data: bytes) -> int:
        count = os.write(descriptor, data)
        node, _ = self.opened[descriptor]
        node.data += bytes(data[:count])  # everything here is written from front to back
        self.steps.append(Step("data", node, data=node.data))
        return count

    def fsync(self, descriptor: int) -> None:
        node, path = self.opened[descriptor]
        self.steps.append(Step("flush", node, what=path))

    def fdopen(self, descriptor: int, *arguments: Any) -> Any:  # only read from
        del self.opened[descriptor]
        return os.fdopen(descriptor, *arguments)

    def mkdir(self, path: Any) -> None:
        os.mkdir(path)
        self._rename_in(path, (Path(path).name, Node(folder=True)))

    def rename(self, source: Any, target: Any) -> None:
        assert Path(source).parent == Path(target).parent, (
            "a rename across folders is two changes, which a power cut could separate"
        )
        node = self._at(source)
        os.rename(source, target)
        self._rename_in(target, (Path(source).name, None), (Path(target).name, node))

    replace = rename

    def unlink(self, path: Any) -> None:
        os.unlink(path)
        self._rename_in(path, (Path(path).name, None))

    def rmdir(self, path: Any) -> None:
        os.rmdir(path)
        self._rename_in(path, (Path(path).name, None))


Image = dict[str, bytes | None]
"""A disc: path -> content, or None for a folder."""


def images_after_power_cuts(
    steps: list[Step], root: Node, *, seed: int, per_moment: int = 64, ignore_flush: Callable[[str], bool] = lambda path: False
) -> Iterator[tuple[Image, list[str]]]:
    """Every different disc, with what had been reported as done before the cut. `ignore_flush`: flushes that count for nothing."""
    chance = random.Random(seed)
    names: dict[Node, dict[str, Node]] = {root: {}}
    data: dict[Node, bytes] = {}
    waiting: dict[Node, list[Step]] = {}
    done: list[str] = []
    seen = set()
    for moment in range(len(steps) + 1):
        if moment:
            step = steps[moment - 1]
            if step.kind == "done":
                done = [*done, step.what]
            elif step.kind == "flush" and not ignore_flush(step.what):
                assert step.node is not None
                for late in waiting.pop(step.node, []):
                    if late.kind == "names":
                        _apply(names.setdefault(step.node, {}), late)
                    else:
                        data[step.node] = late.data
            elif step.kind in ("names", "data"):
                assert step.node is not None
                waiting.setdefault(step.node, []).append(step)
        choices: list[list[Callable[[dict[Node, dict[str, Node]], dict[Node, bytes]], None]]] = []
        for node, late in waiting.items():
            if late[0].kind == "names":
                choices += [[_nothing, _change(node, step)] for step in late]
            else:
                whole, before = late[-1].data, data.get(node, b"")
                half = before + whole[len(before) : (len(before) + len(whole)) // 2]
                choices.append([_nothing, *(_content(node, c) for c in (whole, half, before + bytes(len(whole) - len(before))))])
        for picks in _picks(choices, per_moment, chance):
            after_names = {node: dict(entries) for node, entries in names.items()}
            after_data = dict(data)
            for pick in picks:
                pick(after_names, after_data)
            image = dict(_walk(root, "", after_names, after_data))
            key = hashlib.sha256(repr((sorted(image.items()), done)).encode()).digest()
            if key not in seen:
                seen.add(key)
                yield image, done


def _picks(choices: list[list[Any]], limit: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    count = 1
    for options in choices:
        count *= len(options)
    if count <= limit:
        yield from itertools.product(*choices)
        return
    yield tuple(options[0] for options in choices)
    yield tuple(options[1] for options in choices)
    for number in range(len(choices)):  # one alone there, one alone missing
        yield tuple(options[int(position == number)] for position, options in enumerate(choices))
        yield tuple(options[int(position != number)] for position, options in enumerate(choices))
    for _ in range(limit):
        yield tuple(chance.choice(options) for options in choices)


def _nothing(names: dict[Node, dict[str, Node]], data: dict[Node, bytes]) -> None:
    pass


def _change(node: Node, step: Step) -> Callable[..., None]:
    return lambda names, data: _apply(names.setdefault(node, {}), step)


def _content(node: Node, content: bytes) -> Callable[..., None]:
    return lambda names, data: data.__setitem__(node, content)


def _apply(entries: dict[str, Node], step: Step) -> None:
    for name, node in step.change:
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def _walk(node: Node, path: str, names: dict[Node, dict[str, Node]], data: dict[Node, bytes]) -> Iterator[tuple[str, bytes | None]]:
    for name, child in names.get(node, {}).items():
        place = f"{path}{name}"
        yield place, None if child.folder else data.get(child, b"")
        if child.folder:
            yield from _walk(child, f"{place}/", names, data)


def build(image: Image, top: Path) -> None:
    """Make the disc below `top`, an empty folder."""
    for path, content in image.items():
        if content is None:
            (top / path).mkdir()
        else:
            (top / path).write_bytes(content)
