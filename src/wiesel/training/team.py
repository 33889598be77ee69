"""Several processes that train one network together: each takes a share of every batch, and the gradients are added up.

The leader (rank 0) is an ordinary training process: it alone validates, shows progress and writes the run folder. The others, the
helpers, hold nothing that the leader does not have; they may be ended at any moment. They meet through a file and talk gloo over the
loopback interface, so nothing of it can be reached from outside. PyTorch's global process group is not used.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = dt.timedelta(days=7)
"""How long one waits for another, who may be validating or saving. Who died is noticed at once: the connection closes."""


class Team:
    """One process's place among `size`. The constructor returns when all have come to `meeting`, a file that does not exist yet."""

    def __init__(self, meeting: Path, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        torch_distributed: Any = dist  # its type stubs lack most of this
        gloo = torch_distributed.ProcessGroupGloo
        options = gloo._Options()
        options._devices = [gloo.create_device(hostname="127.0.0.1")]
        options._timeout = PATIENCE
        self.group = gloo(torch_distributed.FileStore(str(meeting), size), rank, size, options)

    @torch.no_grad()
    def share_gradients(self, network: nn.Module, sums: Tensor) -> Tensor:
        """Add up the gradients over all processes, in place, and return the sum of `sums` (float32, a few numbers) over them.

        Afterwards every process has the same gradients, bit for bit. A parameter has one if it has one anywhere (a layer may be left
        out by chance in one share and not in another).
        """
        parameters = [p for p in network.parameters() if p.requires_grad]
        have = torch.tensor([float(p.grad is not None) for p in parameters])
        gradients = [torch.zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in parameters]
        flat = torch.cat([sums, have, *gradients])
        self.group.allreduce([flat]).wait()
        summed, anywhere, *parts = torch.split(flat, [len(sums), len(have), *(p.numel() for p in parameters)])
        for parameter, part, count in zip(parameters, parts, anywhere.tolist(), strict=True):
            if not count:
                continue
            if parameter.grad is None:
                parameter.grad = torch.empty_like(parameter)
            parameter.grad.copy_(part.view(parameter.shape))
        return summed

    @torch.no_grad()
    def begin_equal(self, network: nn.Module) -> None:
        """Everybody takes over the leader's weights and running statistics."""
        from_the_leader = dist.BroadcastOptions()
        from_the_leader.rootRank = 0
        for tensor in network.state_dict().values():
            whole = tensor.contiguous()
            self.group.broadcast([whole], from_the_leader).wait()
            tensor.copy_(whole)
