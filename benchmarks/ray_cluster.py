"""Three networks, three seeds each, on a Ray cluster of two nodes whose tasks are killed: is the table the same as of an undisturbed run?

    python benchmarks/ray_cluster.py [--kills 10] [--every 5] [--seed 0]

Trains once in local processes. Then starts two nodes with one processor each on 127.0.0.1 (`ray start`, with a token, without a dashboard),
trains the same plan on them, sends SIGKILL to the process of a random task every few seconds, and once, half way, to the driver, which is
started again with the same command. Compared are `comparison.json` without times and places, byte for byte, and the weights of each run.
Needs Linux and `pip install wiesel[ray]`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wiesel.comparison.ledger import Ledger
from wiesel.runs import events

PLAN = """
[[arms]]
model = "lenet5"
[[arms]]
model = "lenet5:activation=relu"
name = "relu"
[[arms]]
model = "lenet5:activation=gelu"
name = "gelu"

[data]
source = "fashion-mnist-sample"
subset = 60

[training]
epochs = 2
batch = 32
precision = "fp32"

[rules]
looks = [3]
alphas = [0.05]
cap = 3
"""
NODE = """
import sys
from ray._private import services
services.resolve_ip_for_localhost = lambda host: host
from ray.scripts.scripts import main
sys.argv[0] = "ray"
main()
"""
"""`ray start`, which would refuse to join a second node on 127.0.0.1, or move it to an address that others reach."""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
ELSEWHERE = ("seconds", "more_seconds", "seconds_ratio", "sentence", "made", "command")
"""What may differ: times, also in the sentence, and how it was asked for."""


@contextmanager
def two_nodes(place: Path, settings: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    common = ["--num-cpus", "1", "--object-store-memory", "100000000", "--block"]
    head = ["start", "--head", "--port", address.split(":")[1], "--include-dashboard=false", "--temp-dir", str(place / "ray")]
    other = ["start", "--address", address, "--node-ip-address", "127.0.0.1"]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number, (words, loopback) in enumerate(((head, {LOOPBACK: "0"}), (other, {}))):
            log = place / f"node{number + 1}.log"
            with log.open("wb") as end:
                command = [sys.executable, "-c", NODE, *words, *common]
                environment = {**os.environ, **settings, **loopback}
                started.append(subprocess.Popen(command, stdout=end, stderr=end, env=environment, start_new_session=True))
            while b"Ray runtime started" not in log.read_bytes():
                if started[-1].poll() is not None:
                    sys.exit(log.read_text(errors="replace"))
                time.sleep(0.2)
            print(f"node {number + 1} of 2 is there", flush=True)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def compare(plan: Path, folder: Path, *more: str, settings: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wiesel", "compare", "--plan", str(plan), "--output", str(folder), "--quiet", *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **(settings or {})}, start_new_session=True)


def trainings(folder: Path) -> dict[str, list[int]]:
    """Name of each cell in training -> the processes that train it."""
    found: dict[str, list[int]] = {}
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0") if entry.name.isdecimal() else []
        except OSError:
            continue
        if "train" in words and words[1:2] == ["-m"]:
            cell = next(
                (Path(word).name for word in words if word.startswith(f"{folder}/cells/") and not word.endswith(".toml")), ""
            )
            if cell:
                found.setdefault(cell, []).append(int(entry.name))
    return found


def task_of(training: int) -> int:
    """The process of the Ray task that waits for this training; 0 if it is gone."""
    try:
        fields = dict(line.split(":\t", 1) for line in Path(f"/proc/{training}/status").read_text().splitlines() if ":\t" in line)
        parent = int(fields["PPid"])
        return parent if Path(f"/proc/{parent}/cmdline").read_bytes().startswith(b"ray::") else 0
    except (OSError, KeyError, ValueError):
        return 0


def table(folder: Path) -> bytes:
    """What a comparison found, without times and places; and the weights of its runs."""

    def cut(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: cut(value) for key, value in part.items() if key not in ELSEWHERE}
        return [cut(one) for one in part] if isinstance(part, list) else part

    document = cut(json.loads((folder / "comparison.json").read_bytes()))
    weights = {
        path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("cells/*/weights.safetensors"))
    }
    return json.dumps([document, weights], indent=1, ensure_ascii=False).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--undisturbed", type=Path, help="folder of a local comparison that was made before with this program")
    wanted = parser.parse_args()
    draw = random.Random(wanted.seed)
    settings = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    with tempfile.TemporaryDirectory(prefix="wr-") as temporary:
        place = Path(temporary)
        plan = place / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        begun = time.monotonic()
        local = wanted.undisturbed or place / "local" / "one"
        if compare(plan, local).wait():
            sys.exit("the local comparison failed")
        print(f"undisturbed, in local processes: {time.monotonic() - begun:.0f} s", flush=True)
        begun, kills, twice, drivers = time.monotonic(), 0, 0, 1
        folder = place / "on-ray" / "one"
        with two_nodes(place, settings) as address:
            driver = compare(plan, folder, "--ray", address, settings=settings)
            due = 0.0
            while driver.poll() is None:
                time.sleep(0.05)
                now = trainings(folder)
                twice += sum(len(processes) > 1 for processes in now.values())
                if not now or kills >= wanted.kills:
                    continue
                due = due or time.monotonic() + draw.uniform(0.2, 1.8) * wanted.every
                if time.monotonic() < due:
                    continue
                cell = draw.choice(sorted(now))
                task = task_of(now[cell][0])
                if not task:
                    continue
                os.kill(task, signal.SIGKILL)
                kills, due = kills + 1, 0.0
                print(f"{time.monotonic() - begun:4.0f} s: killed the task of {cell}, process {task} ({kills})", flush=True)
                if kills == wanted.kills // 2:
                    time.sleep(draw.uniform(0, wanted.every))
                    driver.kill()
                    driver.wait()
                    drivers += 1
                    print(f"{time.monotonic() - begun:4.0f} s: killed the driver, process {driver.pid}", flush=True)
                    driver = compare(plan, folder, "--ray", address, settings=settings)
            if driver.returncode:
                sys.exit(f"the comparison on Ray ended with exit code {driver.returncode}")
        ledger = Ledger(folder)
        counts = Counter(row["kind"] for row in ledger.rows())
        ends = [sum(row["kind"] == "end" for row in events.rows(path)) for path in folder.glob("cells/*/events.jsonl")]
        print(
            f"on Ray: {time.monotonic() - begun:.0f} s, {kills} tasks killed, {drivers} drivers; {counts['start']} starts, "
            f"{counts['lost']} lost, {counts['died']} died, {counts['failed']} failed, {counts['done']} done of 9; "
            f"runs that ended once: {ends.count(1)} of {len(ends)}; seen training twice at once: {twice}"
        )
        same = table(local) == table(folder)
        for arm in json.loads((folder / "comparison.json").read_bytes())["arms"]:
            print(arm["name"], arm["seeds"], arm["accuracies"])
        print(f"table and weights: {'byte-identical' if same else 'DIFFERENT'} ({hashlib.sha256(table(folder)).hexdigest()[:16]})")
        sys.exit(not same or counts["done"] != 9 or twice > 0)


if __name__ == "__main__":
    main()
