"""Where a network adds a shortcut to a correction: read off a tape, so it does not matter how the block is written.

`out += self.shortcut(x)`, `x + f(x)` and a module that adds look alike there: an addition of two values that go back to the same
value. The way on which fewer layers with weights lie is the shortcut, the other one the branch. Where both carry equally many, nobody
can say which is which, and the addition is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.analysis.tape import Operation, Tape


@dataclass(frozen=True)
class Addition:
    """One sum of a shortcut and a branch. `start`, `skip`, `branch` and `total` are values of the tape."""

    module: str
    """The innermost module that was running, "" for the network itself."""
    call: int
    operation: int
    start: int
    """The value at which the two ways part."""
    skip: int
    branch: int
    total: int
    identity: bool
    """Nothing lies on the shortcut."""
    private: bool
    """`start` goes into this block alone: whatever gradient arrives there came by one of the two ways."""


def additions(tape: Tape) -> tuple[Addition, ...]:
    """All sums of a shortcut and a branch, in the order of their execution."""
    before = _ancestors(tape)
    found = (_addition(tape, operation, before) for operation in tape.operations if operation.name == "add")
    return tuple(addition for addition in found if addition is not None)


def _addition(tape: Tape, operation: Operation, before: list[int]) -> Addition | None:
    if len(operation.inputs) != 2 or operation.inputs[0] == operation.inputs[1]:
        return None
    one, other = operation.inputs
    shapes = {tape.values[value].shape for value in (one, other, operation.outputs[0])}
    common = before[one] & before[other]
    if not common or len(shapes) > 1:
        return None
    start = common.bit_length() - 1  # values are numbered in the order in which they were made
    weights = {value: _weights(tape, before[value] & ~before[start]) for value in (one, other)}
    if weights[one] == weights[other]:
        return None
    skip, branch = sorted((one, other), key=lambda value: weights[value])
    inside = before[operation.outputs[0]]
    return Addition(
        module=operation.module,
        call=operation.call,
        operation=operation.index,
        start=start,
        skip=skip,
        branch=branch,
        total=operation.outputs[0],
        identity=skip == start,
        private=all(inside >> output & 1 for user in tape.consumers(start) for output in user.outputs),
    )


def _weights(tape: Tape, values: int) -> int:
    """How many operations with parameters made these values (a set, as bits)."""
    return sum(
        1 for operation in tape.operations if operation.parameters and any(values >> output & 1 for output in operation.outputs)
    )


def _ancestors(tape: Tape) -> list[int]:
    """For every value the set of values that it was made of, itself included, as bits."""
    before = [1 << value.index for value in tape.values]
    for operation in tape.operations:
        reached = 0
        for value in operation.inputs:
            reached |= before[value]
        for value in operation.outputs:
            before[value] |= reached
    return before
