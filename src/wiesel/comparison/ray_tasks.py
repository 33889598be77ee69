"""Trainings as tasks of a Ray cluster, one processor each, on a file system that all nodes share.

Ray only finds a free processor: a task runs the same command as a local training does, in a process that dies with the task. Ray tries
nothing twice (`max_retries=0`), and what it says about a task is only how the campaign learns that it is time to look at the run folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wiesel.comparison.ray_address import PATIENCE, reachable
from wiesel.errors import RayNotFresh, RayUnreachable
from wiesel.language import say
from wiesel.training.threads import usable_cores

PERIOD = 0.2
"""Seconds between two looks of a task at its training."""
TIED = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: when the parent dies
if os.getppid() != int(sys.argv[1]):  # it has died already
    sys.exit(70)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes the training, which the kernel ends together with the task, however that ends."""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Set to 0 (on any system), Ray's processes listen on 127.0.0.1 instead of on all addresses."""


@dataclass
class Task:
    """One training on some node."""

    reference: Any
    log: Path
    before: int
    """Bytes in the log when it was handed in."""
    pid: int = 0
    returncode: int | None = None
    lost: bool = False

    @property
    def waiting(self) -> bool:
        return self.returncode is None and _size(self.log) == self.before  # a task that begins writes where it is

    def poll(self) -> int | None:
        import ray
        from ray import exceptions

        if self.returncode is None and ray.wait([self.reference], timeout=0)[0]:
            try:
                self.returncode = int(ray.get(self.reference))
            except exceptions.TaskCancelledError:
                self.returncode = 128 + signal.SIGTERM
            except (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.LocalRayletDiedError):
                self.lost, self.returncode = True, 128 + signal.SIGKILL
            except exceptions.RayError as error:  # out of memory, wiesel is not installed there, ...
                with self.log.open("ab") as end:
                    end.write(f"Ray: {error}\n".encode())
                self.returncode = 1
        return self.returncode

    def terminate(self) -> None:
        self._cancel(force=False)

    def kill(self) -> None:
        self._cancel(force=True)

    def _cancel(self, *, force: bool) -> None:
        import ray

        ray.cancel(self.reference, force=force)

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("ray", timeout or 0.0)
            time.sleep(PERIOD)
        return code


@dataclass(frozen=True)
class Tasks:
    """Of the cluster that this process is connected to."""

    program: Callable[[], str]
    """Says which state of wiesel is installed; called on each node."""

    @property
    def room(self) -> int:
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def start(self, words: Sequence[str], log: Path, threads: int) -> Task:
        import ray

        carried = {key: value for key, value in os.environ.items() if key.startswith("WIESEL_") or key == "PYTHONPATH"}
        environment = {**carried, "OMP_NUM_THREADS": str(threads)}
        task = ray.remote(num_cpus=1, max_retries=0)(train)
        before = _size(log)
        reference = task.remote(list(words), str(log), str(Path.cwd()), environment, self.program, self.program())
        return Task(reference, log, before)


def train(words: list[str], log: str, place: str, environment: dict[str, str], program: Callable[[], str], expected: str) -> int:
    """What a task does, on its node: run the command, and end it if the task is cancelled. Its exit code."""
    with Path(log).open("ab") as end:
        end.write(f"{socket.gethostname()}, Ray task in process {os.getpid()}\n".encode())
        end.flush()
        found = program()
        if found != expected:  # it would train another run than the one that was planned
            other = say(
                en=f"{socket.gethostname()} has {found}, the comparison was started with {expected}: install the same one everywhere",
                de=f"{socket.gethostname()} hat {found}, begonnen wurde mit {expected}: überall dasselbe installieren",
            )
            end.write(f"{other}\n".encode())
            return 4
        own = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}  # the token above all
        process = subprocess.Popen(
            [sys.executable, "-c", TIED, str(os.getpid()), sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=end,
            stderr=end,
            cwd=place,
            env={**own, **environment},
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(PERIOD)
        finally:  # `ray.cancel` raises KeyboardInterrupt here
            if process.poll() is None:
                process.terminate()
                process.wait()
        return process.returncode


@contextmanager
def cluster(address: str, program: Callable[[], str], tell: Callable[[str], None] = lambda _: None) -> Iterator[Tasks]:
    """Connect to the cluster at `address`, a node of which this machine has to be; "local": to one of our own, which ends with us.

    Raises:
        RayMissing: there is no Ray here, or one that is too old.
        BadValue: this is no address.
        RayUnreachable: nothing or something else answers there; says what.
        RayNotFresh: "local", and Ray was loaded into this process before it could be told to listen on 127.0.0.1 only.
    """
    near = reachable(address)
    private, settings = address == "local", {"RAY_USAGE_STATS_ENABLED": "0", "RAY_NUM_REDIS_GET_RETRIES": str(PATIENCE)}
    if private:
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token(), LOOPBACK: "0", "RAY_worker_niceness": "0"}
        if "ray" in sys.modules and any(os.environ.get(key) != settings[key] for key in ("RAY_AUTH_TOKEN", LOOPBACK)):
            raise RayNotFresh()
    elif near:
        settings[LOOPBACK] = "0"
    os.environ.update(settings)  # Ray reads them once, for the whole life of this process: so they stay
    import ray

    # Ray tells of lost tasks on stdout, where a verdict as JSON may be expected; the campaign says it itself. There is no public switch.
    ray._private.worker._worker_logs_enabled = False
    place, handler = tempfile.mkdtemp(prefix="wiesel-ray-") if private else "", signal.getsignal(signal.SIGTERM)
    facts: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": "ERROR"}
    if private:
        facts |= {"num_cpus": usable_cores(), "include_dashboard": False, "object_store_memory": 100_000_000, "_temp_dir": place}
    try:
        ray.init(**facts)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise RayUnreachable(address=address, reason=str(error).strip().split("\n")[0].split(". ")[0].rstrip(".")) from error
    try:
        if os.environ.get("RAY_AUTH_MODE") != "token":
            tell(_open_to_all(address))
        yield Tasks(program)
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, handler)  # Ray had put its own there
        if private:
            shutil.rmtree(place, ignore_errors=True)


@cache
def _token() -> str:
    return secrets.token_hex(32)


def _open_to_all(address: str) -> str:
    return say(
        en=f"The cluster at {address} asks for no token: whoever reaches its ports can run programs on it. "
        "Start it with RAY_AUTH_MODE=token, see `ray get-auth-token --help`.",
        de=f"Der Cluster bei {address} verlangt kein Token: Wer seine Ports erreicht, kann darauf Programme ausführen. "
        "Starte ihn mit RAY_AUTH_MODE=token, siehe `ray get-auth-token --help`.",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
