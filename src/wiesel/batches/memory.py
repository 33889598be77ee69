"""When memory runs out: whether it was that, how much there is, and how many pictures a step may take.

Most systems promise memory before they have it, so a step that is too large may be killed without a word. Therefore a step is
measured while it is small, and only what should fit by that measure is tried for real.
"""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from wiesel.batches.loading import EvaluationBatches

Done = TypeVar("Done")

SAYINGS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")
"""What PyTorch's allocators say in a plain RuntimeError, on Linux and macOS, on Windows, on accelerators, from C++."""

SHARE = 0.8
"""Of the free memory, what a step may fill by our measure."""
OVERHEAD = 1.3
"""Process memory of a step / its tensors: kernels have scratch space, and freed blocks do not fit together without gaps (ResNet-18,
batch 64: 300 MB for 230)."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: Python's, NumPy's, PyTorch's on the processor or on a device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(saying in str(error) for saying in SAYINGS)


def available_bytes(device: str = "cpu") -> int | None:
    """What this process may still take: the least of free memory, the container's limit and the process's own; None if nobody says."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_free(), _container(), _address_space()]
    return min((amount for amount in found if amount is not None), default=None)


def batch_that_fits(step: Callable[[int], object], asked: int, *, available: int | None, reserve: int = 0) -> int:
    """The number of pictures that `step` may take, below `asked`; 0 if not even two fit.

    `step` learns from so many pictures. It is measured with two and eight, and tried with the answer. `reserve`: bytes that must
    stay free beside it.
    """
    most = asked * 3 // 4
    try:
        little, more = peak_bytes(lambda: step(2)), peak_bytes(lambda: step(8))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        most = min(most, 7)
    else:
        if available is not None:
            each = OVERHEAD * max(1, (more - little) / 6)
            once = OVERHEAD * max(0.0, little - (more - little) / 3)
            most = min(most, int((SHARE * available - reserve - once) / each))
    while most >= 2:
        count = most // 8 * 8 if most >= 16 else most
        try:
            step(count)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            most = count * 3 // 4
        else:
            return count
    return 0


def with_room(batches: EvaluationBatches, work: Callable[[EvaluationBatches], Done]) -> Done:
    """Do `work` on these batches; where memory does not suffice for one, do all of it again with batches of half the size."""
    while True:
        try:
            return work(batches)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or batches.batch < 2:
                raise
            traceback.clear_frames(error.__traceback__)  # they hold the tensors that filled the memory
        batches = batches.halved()


def peak_bytes(work: Callable[[], object]) -> int:
    """The most bytes that tensors made by `work` had at one time; what existed before does not count, nor do kernels' own buffers."""
    meter = _Meter()
    with meter:
        work()
    return meter.peak


class _Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every storage from the operation that makes it until nobody holds it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0  # bytes

    def __torch_dispatch__(self, operation: Any, _types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        out = operation(*arguments, **(keywords or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key not in self.sizes:
                    self.sizes[key] = storage.nbytes()
                    self.now += self.sizes[key]
                    self.peak = max(self.peak, self.now)
                    weakref.finalize(storage, self._gone, key).atexit = False
        return out

    def _gone(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


def _free() -> int | None:
    return _field(Path("/proc/meminfo"), "MemAvailable")


def _container() -> int | None:
    """Control groups: version 2, or version 1."""
    root = Path("/sys/fs/cgroup")
    for limit, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        try:
            return int((root / limit).read_text()) - int((root / used).read_text())
        except (OSError, ValueError):  # no such file; "max"
            continue
    return None


def _address_space() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, used = resource.getrlimit(resource.RLIMIT_AS)[0], _field(Path("/proc/self/status"), "VmSize")
    return None if limit == resource.RLIM_INFINITY or used is None else limit - used


def _field(path: Path, name: str) -> int | None:
    """Bytes that a file of the form "name:  123 kB" tells."""
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None
