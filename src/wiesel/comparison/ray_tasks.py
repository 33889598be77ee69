"""Trainings as tasks of a Ray cluster, one processor each, on a file system that all nodes share.

Ray only finds a free processor: a task runs the same command as a local training does, in a process that dies with the task. Ray tries
nothing twice (`max_retries=0`), and what it says about a task is only how the campaign learns that it is time to look at the run folder.
"""

from __future__ import annotations

import importlib.util
import os
import re
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

from wiesel.errors import BadValue, RayMissing, RayNotFresh, RayUnreachable
from wiesel.language import say
from wiesel.training.threads import usable_cores

LEAST = (2, 54)
"""Older versions have holes that were closed there."""
PATIENCE = 5
"""Seconds for an address to answer."""
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


def reachable(address: str) -> bool:
    """What can be found out before anything is loaded. Whether the head there listens on 127.0.0.1 only, as far as this is known.

    Raises:
        RayMissing, BadValue, RayUnreachable: as `cluster`.
    """
    required()
    return address not in ("local", "auto") and _reached(*_host_and_port(address))


def required() -> None:
    """Raises RayMissing."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        have = version("ray") if importlib.util.find_spec("ray") is not None else ""
    except PackageNotFoundError:
        have = ""
    if tuple(int(part) for part in re.findall(r"\d+", have)[:2]) < LEAST:
        raise RayMissing(
            have=say(en=f"{have} is installed", de=f"installiert ist {have}")
            if have
            else say(en="it is not installed", de="es ist nicht installiert")
        )


@cache
def _token() -> str:
    return secrets.token_hex(32)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        known = say(en="'local', 'auto', or HOST:PORT of the head node", de="'local', 'auto' oder HOST:PORT des Hauptknotens")
        raise BadValue(setting="ray", value=address, expected=known)
    return host.strip("[]"), int(port)


def _reached(host: str, port: int) -> bool:
    """Whether the head that answers there listens on 127.0.0.1 only. Ray itself would try for minutes where none answers."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as line:
            if os.environ.get("RAY_USE_TLS") != "1":
                line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")  # HTTP/2, and settings: none
                if line.recv(9)[3:4] != b"\4":  # settings in return
                    raise OSError(
                        say(en="what answers is no head of a Ray cluster", de="was antwortet, ist kein Hauptknoten von Ray")
                    )
            near = str(line.getpeername()[0]).startswith("127.")
    except OSError as error:
        raise RayUnreachable(address=f"{host}:{port}", reason=error.strerror or str(error)) from error
    return near and not _reached_from_outside(port)


def _reached_from_outside(port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing; chooses the address that others would see
            own = str(probe.getsockname()[0])
        with socket.create_connection((own, port), timeout=PATIENCE):
            return not own.startswith("127.")
    except OSError:
        return False


def _open_to_all(address: str) -> str:
    return say(
        en=f"The cluster at {address} asks for no token: whoever reaches its ports can run programs on it. "
        "Start it with RAY_AUTH_MODE=token, see `ray get-auth-token --help`.",
        de=f"Der Cluster bei {address} verlangt kein Token: Wer seine Ports erreicht, kann darauf Programme ausführen. "
        "Starten Sie ihn mit RAY_AUTH_MODE=token, siehe `ray get-auth-token --help`.",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
