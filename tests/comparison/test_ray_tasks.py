"""Trainings on a Ray cluster: what does not need Ray, and one small comparison on a cluster that does."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.comparison.test_campaign import pictures, plan_for
from wiesel.comparison import Rules, ray_address, ray_tasks, to_toml
from wiesel.comparison.campaign import RETRIES, Campaign
from wiesel.comparison.cells import cells
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.workers import Process
from wiesel.errors import BadValue, RayMissing, RayNotFresh, RayUnreachable
from wiesel.jobs.compare import compare

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends a training together with its task")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


# --- no cluster to be had -------------------------------------------------------------------------------------------------


def test_without_ray_the_error_names_what_to_install_and_comes_before_everything_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RayMissing, match=r"not installed.*pip install 'wiesel\[ray\]'") as failure:
        compare(["lenet5", "resnet20"], "no such data", output=tmp_path / "one", ray="local")
    assert failure.value.exit_code == 4
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(("version", "enough"), [("2.53.1", False), ("2.54.0", True), ("2.60.0", True), ("3.0.0rc1", True)])
def test_a_ray_with_known_holes_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, enough: bool) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    if enough:
        ray_address.required()
    else:
        with pytest.raises(RayMissing, match=r"2\.53\.1 is installed"):
            ray_address.required()


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray need not be installed for what is found out before it is loaded."""
    monkeypatch.setattr(ray_address, "required", lambda: None)


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("address", ["", "6379", "head:", "head:port", "head:70000", "ray://head:10001", ":6379"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadValue, match="HOST:PORT"), ray_tasks.cluster(address, str):
        pass


@contextmanager
def listening(host: str, answer: bytes | None) -> Iterator[int]:
    """A port where each caller is told `answer`; None: nothing at all."""
    with socket.create_server((host, 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            held = []
            while True:
                try:
                    line = server.accept()[0]
                except OSError:
                    break
                held.append(line)
                if answer is not None:
                    line.sendall(answer)
            for line in held:
                line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


SETTINGS = b"\0\0\0\4\0\0\0\0\0"


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "no head of a Ray cluster"), (None, "timed out")],
    ids=["web", "silence"],
)
def test_what_is_no_head_of_a_cluster_is_said_within_seconds(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | None, said: str
) -> None:
    monkeypatch.setattr(ray_address, "PATIENCE", 0.3)
    begun = time.monotonic()
    with (
        listening("127.0.0.1", answer) as port,
        pytest.raises(RayUnreachable, match=rf"127\.0\.0\.1:{port}: .*{said}.*ray start --head"),
        ray_tasks.cluster(f"127.0.0.1:{port}", str),
    ):
        pass
    assert time.monotonic() - begun < 20


@pytest.mark.usefixtures("pretended")
def test_a_port_that_nobody_listens_on_is_said_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(RayUnreachable, match=r"refused.*--ray local"):
        compare(["lenet5", "resnet20"], "no such data", ray=f"127.0.0.1:{port}")
    assert time.monotonic() - begun < 20


def test_a_head_that_listens_on_the_loopback_only_is_told_from_one_that_others_reach() -> None:
    with listening("127.0.0.1", SETTINGS) as port:
        assert ray_address._reached("127.0.0.1", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its loopback")
    with listening("0.0.0.0", SETTINGS) as port:
        assert not ray_address._reached("127.0.0.1", port)


@pytest.mark.usefixtures("pretended")
def test_a_private_cluster_is_not_started_in_a_process_where_ray_was_loaded_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", object())  # type: ignore[arg-type]
    monkeypatch.delenv(ray_tasks.LOOPBACK, raising=False)
    with pytest.raises(RayNotFresh, match=r"127\.0\.0\.1 only"), ray_tasks.cluster("local", str):
        pass


# --- what a task does, on its node ----------------------------------------------------------------------------------------


def same() -> str:
    return "wiesel 1"


def test_a_task_runs_the_command_in_its_place_and_passes_on_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    script = "import os; print(os.getcwd(), os.environ['OMP_NUM_THREADS'], 'RAY_AUTH_TOKEN' in os.environ); raise SystemExit(7)"
    code = ray_tasks.train(["-c", script], str(tmp_path / "log"), str(tmp_path), {"OMP_NUM_THREADS": "3"}, same, "wiesel 1")
    first, second = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert code == 7
    assert first == f"{socket.gethostname()}, Ray task in process {os.getpid()}"
    assert second == f"{tmp_path.resolve()} 3 False"


def test_a_node_with_another_wiesel_trains_nothing_and_says_so(tmp_path: Path) -> None:
    words = ["-c", f"open({str(tmp_path / 'trained')!r}, 'w')"]
    code = ray_tasks.train(words, str(tmp_path / "log"), str(tmp_path), {}, same, "wiesel 2")
    assert code == 4
    assert "has wiesel 1, the comparison was started with wiesel 2" in (tmp_path / "log").read_text(encoding="utf-8")
    assert not (tmp_path / "trained").exists()


TASK = """
import signal, sys
from wiesel.comparison.ray_tasks import train
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a Ray worker, even where the tests run in the background of a shell
child = "import os, signal, sys, time; signal.signal(15, lambda *_: (print('saved', flush=True), sys.exit(0))); print(os.getpid(), flush=True); time.sleep(600)"
train(["-c", child], sys.argv[1], sys.argv[2], {}, str, "")
"""


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "cancelled"])
def test_a_training_ends_with_its_task(tmp_path: Path, how: signal.Signals) -> None:
    log = tmp_path / "log"
    task = subprocess.Popen([sys.executable, "-c", TASK, str(log), str(tmp_path)], stderr=subprocess.DEVNULL)
    _until(lambda: log.exists() and log.read_bytes().count(b"\n") == 2)
    training = int(log.read_text(encoding="utf-8").splitlines()[1])
    assert _alive(training)
    task.send_signal(how)
    task.wait(60)
    _until(lambda: not _alive(training))
    assert log.read_text(encoding="utf-8").endswith("saved\n") == (how == signal.SIGINT)


def _until(happened: Callable[[], bool], patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


# --- what the campaign makes of it ----------------------------------------------------------------------------------------


@dataclass
class Unlucky:
    """Workers whose commands do nothing and whose nodes die, or let them wait."""

    lost: bool
    queue: float = 0.0
    room: int = 1
    begun: list[float] = field(default_factory=list)

    def start(self, words: Sequence[str], log: Path, threads: int) -> Process:
        lost, ready = self.lost, time.monotonic() + self.queue
        self.begun.append(ready)

        class Node(Process):
            @property
            def waiting(self) -> bool:  # type: ignore[override]
                return time.monotonic() < ready

            def poll(self) -> int | None:
                return None if self.waiting else super().poll()

        Node.lost = lost
        return Node([shutil.which("false") or "false"])


def campaign(place: Path, workers: Unlucky, **facts: float) -> tuple[Campaign, Ledger]:
    plan, ledger = plan_for(place / "pictures"), Ledger(place / "one")
    ledger.folder.mkdir()
    ledger.begin(plan, data="0" * 64)
    made = Campaign(ledger, cells(plan, data="0" * 64, program="1"), 1, [1, 1], "", workers=workers, **facts)  # type: ignore[arg-type]
    made.train(made.cells[:1])
    return made, ledger


def test_a_lost_node_is_not_the_fault_of_the_training_unless_it_happens_very_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiesel.comparison.campaign.LOSSES", 5)
    monkeypatch.setattr("wiesel.comparison.campaign.PERIOD", 0.01)
    made, ledger = campaign(tmp_path, Unlucky(lost=True))
    assert made.failed == [made.cells[0]]
    assert (len(ledger.rows("lost")), len(ledger.rows("died")), len(ledger.rows("start"))) == (5, 1 + RETRIES, 6 + RETRIES)


def test_waiting_for_a_free_processor_of_the_cluster_is_not_hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiesel.comparison.campaign.RETRIES", 0)
    _, ledger = campaign(tmp_path, Unlucky(lost=False, queue=1.5), time_limit=0.5)
    (died,) = ledger.rows("died")
    assert "no sign of life" not in died["said"]


# --- a real cluster -------------------------------------------------------------------------------------------------------


@pytest.mark.slow  # a cluster of its own and six processes that import torch: about a minute
@linux
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install wiesel[ray]")
def test_a_comparison_on_a_private_cluster_is_the_local_one_and_reachable_from_here_only(tmp_path: Path) -> None:
    source = pictures(tmp_path / "stripes")
    plan = tmp_path / "plan.toml"
    plan.write_text(to_toml(plan_for(source, Rules(margin=0.05, looks=(2,), alphas=(0.05,), cap=2))), encoding="utf-8")

    def started(name: str, *more: str) -> subprocess.Popen[str]:
        words = ["compare", "--plan", str(plan), "--output", str(tmp_path / name / "one"), "--json", *more]
        return subprocess.Popen([sys.executable, "-m", "wiesel", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    local = started("local")
    said, errors = local.communicate(timeout=900)
    assert local.returncode == 0, errors
    cluster = started("on-ray", "--ray", "local")
    log = tmp_path / "on-ray" / "one" / "cells" / "asleep-seed0.log"
    _until(lambda: cluster.poll() is not None or (log.exists() and b"process" in log.read_bytes()), 600)
    assert cluster.poll() is None, cluster.communicate()
    ports = _listening(_family(cluster.pid))
    assert len(ports) >= 3
    assert {host for host, _ in ports} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    os.kill(int(log.read_text(encoding="utf-8").split()[-1]), signal.SIGKILL)
    on_ray, errors = cluster.communicate(timeout=900)
    assert cluster.returncode == 0, errors
    assert [arm["accuracies"] for arm in json.loads(on_ray)["arms"]] == [arm["accuracies"] for arm in json.loads(said)["arms"]]
    ledger = Ledger(tmp_path / "on-ray" / "one")
    assert [row["cell"] for row in ledger.rows("lost")] == ["asleep-seed0"]
    assert len(ledger.rows("done")) == 4


def _family(process: int) -> set[int]:
    """It and all that come from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, before = {process}, set[int]()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in before}
    return found


def _listening(processes: set[int]) -> set[tuple[str, int]]:
    sockets = set()
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                sockets.add(os.readlink(descriptor))  # noqa: PTH115
            except OSError:
                continue
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                host, port = local.split(":")
                words = [bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8)]
                found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found
