"""A stand-in for `os` inside `wiesel.runs`: it counts the system calls and makes the k-th of them fail, or kills there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from wiesel.runs import commit, documents, manifest

WATCHED = ("open", "write", "fsync", "close", "mkdir", "rename", "replace", "unlink", "rmdir")


class Killed(BaseException):
    """The process is dead: nothing that it does from here on reaches the disc, its own cleaning up included."""


@dataclass(frozen=True)
class Fault:
    """What happens at a call. `when`: before it, after it, or (write only) with half of the bytes written."""

    when: str
    error: int | type[BaseException] | None = None
    lasting: bool = False
    """Every later call fails too; with ENOSPC only those that need room."""

    def __str__(self) -> str:
        name = errno.errorcode[self.error] if isinstance(self.error, int) else getattr(self.error, "__name__", "nothing")
        return f"{name} {self.when}{' and from then on' if self.lasting else ''}"


FAULTS = [
    *(
        Fault(when, error)
        for when in ("before", "after")
        for error in (errno.ENOSPC, errno.EIO, errno.EINTR, KeyboardInterrupt, Killed)
    ),
    Fault("half"),
    Fault("half", Killed),
    Fault("half", errno.ENOSPC),
    Fault("before", errno.ENOSPC, lasting=True),
    Fault("before", errno.EIO, lasting=True),
]


class FailingOs:
    """`os`, except that call number `at` of the watched ones suffers `fault`."""

    def __init__(self, at: int = -1, fault: Fault | None = None) -> None:
        self.at, self.fault = at, fault
        self.calls: list[str] = []
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        genuine = getattr(os, name)
        return self._watched(name, genuine) if name in WATCHED else genuine

    def _watched(self, name: str, genuine: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            if self.dead:
                if name == "close":  # what the kernel does for the dead
                    genuine(*arguments)
                raise Killed
            fault = self.fault
            if fault is None or number < self.at or (number > self.at and not self._still(name, arguments)):
                return genuine(*arguments)
            if fault.when == "half" and name == "write":
                descriptor, data = arguments
                result = genuine(descriptor, bytes(data)[: len(data) // 2])
            elif fault.when == "before" and name != "close":
                result = None
            else:
                result = genuine(*arguments)
                if name == "open" and fault.error is not None:
                    os.close(result)
            if fault.when == "half" and name != "write":
                return result
            if fault.error is Killed:
                self.dead = True
            if isinstance(fault.error, int):
                raise OSError(fault.error, os.strerror(fault.error))
            if fault.error is not None:
                raise fault.error
            return result

        return call

    def _still(self, name: str, arguments: tuple[Any, ...]) -> bool:
        assert self.fault is not None
        if not self.fault.lasting:
            return False
        needs_room = name in ("write", "mkdir") or (name == "open" and arguments[1] & os.O_CREAT)
        return bool(needs_room) if self.fault.error == errno.ENOSPC else True


@contextmanager
def replaced_os(stand_in: Any) -> Iterator[Any]:
    """Let the room's files make their system calls through `stand_in`."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (commit, documents, manifest):
            patch.setattr(module, "os", stand_in)
        yield stand_in
