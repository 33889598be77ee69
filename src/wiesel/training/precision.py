"""Which arithmetic is faster on this processor: float32, or bfloat16 for convolutions and matrix products (autocast).

Having the bf16 instruction is not enough: on some processors the plain AVX-512 form is slower than float32. So both are timed once
per machine on a small convolution, forward and backward, and the answer is kept in the user's cache.
"""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F

from wiesel.language import number, say


@dataclass(frozen=True)
class Choice:
    precision: Literal["bf16", "fp32"]
    reason: str
    """Technical, English, for provenance and programs; `precision_in_words` says it to people."""
    ratio: float | None = None
    """Time of float32 / time of bfloat16 for one convolution step; above 1, bfloat16 is faster."""


def precision_in_words(ratio: float | None) -> str:
    """Why a precision was chosen (`Choice.ratio`), in the reader's language."""
    if ratio is None:
        return say(en="the processor has no native bfloat16", de="der Prozessor kann bfloat16 nicht selbst")
    times = number(ratio, 2)
    return say(
        en=f"measured: a convolution step in float32 takes {times} times as long as in bfloat16",
        de=f"gemessen: ein Faltungsschritt dauert in float32 {times}-mal so lange wie in bfloat16",
    )


def has_bf16() -> bool:
    """Whether oneDNN has native bfloat16 kernels for this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def choose(cache: Path | None) -> Choice:
    """The faster precision, from the cache if this machine, torch and thread count were measured before."""
    if not has_bf16():
        return Choice("fp32", "the processor has no native bfloat16")
    key = f"{processor()} | torch {torch.__version__} | {torch.get_num_threads()} threads"
    known: dict[str, dict[str, object]] = {}
    if cache is not None:
        try:
            known = json.loads(cache.read_text(encoding="utf-8"))
            entry = known[key]
            return Choice("bf16" if entry["precision"] == "bf16" else "fp32", str(entry["reason"]), float(str(entry["ratio"])))
        except (OSError, ValueError, KeyError, TypeError):
            known = known if isinstance(known, dict) else {}
    choice = measured()
    if cache is not None:
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            part = cache.with_suffix(f".{time.time_ns()}")
            part.write_text(json.dumps({**known, key: asdict(choice)}, indent=1), encoding="utf-8")
            part.replace(cache)
        except OSError:
            pass  # a cache that cannot be written costs a second per run, nothing else
    return choice


def measured(repetitions: int = 5) -> Choice:
    """Time one convolution layer's training step in both precisions, interleaved; about a second."""
    picture = torch.randn(32, 64, 28, 28).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(64, 64, 3, 3).to(memory_format=torch.channels_last).requires_grad_()
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for repetition in range(repetitions + 1):
        for kind, seconds in times.items():
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=kind is torch.bfloat16):
                F.conv2d(picture, weight, padding=1).float().sum().backward()  # type: ignore[no-untyped-call]
            if repetition:  # the first call compiles the kernel
                seconds.append(time.perf_counter() - start)
    ratio = min(times[torch.float32]) / min(times[torch.bfloat16])  # what else runs, or a machine just started, only adds
    faster: Literal["bf16", "fp32"] = "bf16" if ratio > 1.1 else "fp32"
    return Choice(faster, f"measured: a convolution step in float32 takes {ratio:.2f} times as long as in bfloat16", ratio)


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
