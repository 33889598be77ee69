"""A forward pass onto a tape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wiesel.analysis.recording import evaluating
from wiesel.analysis.tape.nesting import tensors_in
from wiesel.analysis.tape.recorded import Tape
from wiesel.analysis.tape.tracer import Tracer, Watch


def record(
    network: nn.Module,
    image: tuple[int, int, int],
    *,
    values: bool = False,
    batch: int = 1,
    evaluate: bool = True,
    pictures: Tensor | None = None,
    watch: Watch | None = None,
) -> Tape:
    """One forward pass of `network` on `batch` pictures of shape `image`, or on `pictures` (B, C, H, W).

    `values` keeps a copy of every tensor. Without, a network on the meta device is taped without computing anything.
    Pictures that are not given are noise of one fixed seed. The network is left as it was: modes, hooks, buffers; so is
    PyTorch's generator. A forward pass that raises gives a tape with a `failure`. `watch` sees the tensors, see `Watch`.
    """
    if pictures is None:
        pictures = _noise(network, (batch, *image))
    tracer = Tracer(network, values, watch)
    result: Any = None
    failure = None
    with ExitStack() as undo:
        undo.enter_context(torch.inference_mode(False))
        undo.enter_context(torch.set_grad_enabled(watch is not None))
        undo.enter_context(torch.random.fork_rng(devices=[]))
        undo.enter_context(_buffers_kept(network))
        if evaluate:
            undo.enter_context(evaluating(network))
        # A copy: what is done to it in place is not done to the caller's pictures.
        leaf = pictures.detach().requires_grad_(watch is not None)
        pictures = leaf.clone()
        start = tracer.add(pictures)
        for module in network.modules():
            undo.callback(module.register_forward_pre_hook(tracer.enter, prepend=True, with_kwargs=True).remove)
            undo.callback(module.register_forward_hook(tracer.leave, always_call=True).remove)
        try:
            with tracer:
                result = network(pictures)
        except Exception as error:
            failure = tracer.failure(error)
        found = [] if failure else [tracer.index(tensor) for tensor in tensors_in(result)]
        outputs = tuple(index for index in found if index is not None)
        single = isinstance(result, Tensor) and len(outputs) == 1
        tape = Tape(
            image=image,
            values=tuple(tracer.values),
            operations=tuple(tracer.operations),
            input=start,
            output=outputs[0] if single else outputs,
            failure=failure,
            calls=tuple(tracer.finished_calls()),
        )
        if watch is not None and failure is None:
            watch.finish(tape, result, leaf)
    return tape


def _noise(network: nn.Module, shape: tuple[int, ...]) -> Tensor:
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    if like.is_meta:
        return torch.empty(shape, dtype=like.dtype, device="meta")
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(like)


@contextmanager
def _buffers_kept(network: nn.Module) -> Iterator[None]:
    """Afterwards every buffer is the same tensor with the same content."""
    kept = [
        (module, name, buffer, buffer.detach().clone())
        for module in network.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    try:
        yield
    finally:
        for module, name, buffer, content in kept:
            module._buffers[name] = buffer
            with torch.inference_mode(buffer.is_inference()):
                buffer.copy_(content)  # always: batch norm moves its statistics without counting it as a change
