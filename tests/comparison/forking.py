"""Real `wiesel` processes without the seconds that each would spend on importing torch and Lightning.

A server imports everything once and forks for each command. A small client stands where the command would: it has its process id, its
words in /proc, its output and its exit code; it passes signals on, and if it is killed the forked process dies at once. So killing,
stopping and outliving happen to processes as they do outside of tests, and what runs in them is all of wiesel.

So that nothing depends on how quick a machine is, trainings can be held at their beginning (`hold`): a test then kills what it means to.

    python forking.py serve SOCKET CLIENT PROGRAM     started once
    CLIENT -m wiesel train …                         in the place of `python -m wiesel train …`; CLIENT is an executable file
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def hold(client: Path, name: str) -> None:
    """From now on trainings that have `name` in one of their words wait before they begin; those that waited for another go on."""
    new = client.with_name("held.new")
    new.write_text(name, encoding="utf-8")
    new.replace(client.with_name("held"))


def let_go(client: Path) -> None:
    client.with_name("held").unlink()


@contextmanager
def preloaded(place: Path, program: str) -> Iterator[Path]:
    """The client to call instead of the interpreter, while the server runs. `place`: a short path of an existing folder; `program`: what
    `wiesel.jobs.program` shall say in all processes."""
    address, client = place / "socket", place / "client"
    client.write_text(
        f"#!{sys.executable} -SE\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import forking\nforking.ask({str(address)!r})\n",
        encoding="utf-8",
    )
    client.chmod(0o755)
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen([sys.executable, __file__, "serve", str(address), str(client), program], env=quiet)
    try:
        deadline = time.monotonic() + 300
        while not address.exists():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield client
    finally:
        server.kill()
        server.wait()


def ask(address: str) -> None:
    """The client: have the words of this command carried out, and end as it ends."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        words = [str(Path.cwd()), *sys.argv[1:], "", *(f"{key}={value}" for key, value in os.environ.items())]
        payload = "\0".join(words).encode()
        socket.send_fds(line, [len(payload).to_bytes(8, "big")], [0, 1, 2])
        line.sendall(payload)
        pid = int.from_bytes(_exactly(line, 8), "big")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: os.kill(pid, received))
        code = int.from_bytes(_exactly(line, 8), "big", signed=True)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _exactly(line: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = line.recv(count - len(found))
        if not part:
            os._exit(70)
        found += part
    return found


def serve(address: str, client: str, program: str) -> None:
    import scipy.special
    import scipy.stats  # noqa: F401

    import wiesel.cli.compare
    import wiesel.cli.train
    import wiesel.jobs.compare
    import wiesel.jobs.train
    import wiesel.reports.comparison
    import wiesel.training.fit

    wiesel.jobs.compare.program = lambda: program  # the same for all, even if somebody edits the source meanwhile

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{address}.new")
        listening.listen()
        Path(f"{address}.new").rename(address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            line, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(line, client)
            line.close()


def _held(client: Path, words: list[str]) -> bool:
    try:
        name = client.with_name("held").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return any(name in word for word in words)


def _answer(line: socket.socket, client: str) -> None:
    """In a process between the server and the command: it waits for the command, and for the client's death."""
    head, given, _, _ = socket.recv_fds(line, 8, 3)
    words = _exactly(line, int.from_bytes(head, "big")).decode().split("\0")
    cwd, *rest = words
    middle = rest.index("")
    arguments, environment = rest[:middle], rest[middle + 1 :]
    pid = os.fork()
    if pid == 0:
        line.close()
        os.setsid()
        for number, descriptor in enumerate(given):
            os.dup2(descriptor, number)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(dict(one.split("=", 1) for one in environment))
        sys.executable = client
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
        from wiesel.cli import run

        while "train" in arguments and _held(Path(client), arguments):
            time.sleep(0.02)
        code = run(arguments[2:])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    try:
        line.sendall(pid.to_bytes(8, "big"))
    except OSError:  # the client was killed before it knew the process that it stands for
        os.kill(pid, signal.SIGKILL)

    def watch() -> None:
        try:
            alive = line.recv(1)
        except ConnectionResetError:  # killed with something unread
            alive = b""
        if not alive:
            os.kill(pid, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # the client is gone
        line.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, "big", signed=True))
    os._exit(0)


if __name__ == "__main__":
    serve(*sys.argv[2:5])
