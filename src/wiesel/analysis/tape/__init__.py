"""Everything a network computes from a picture, operation by operation, in the order in which it happened.

Hooks on modules see only modules: `F.relu`, `+`, `@`, `torch.flatten` pass them by, a module that is used three times looks like
one, and what they keep may be overwritten by an in-place operation later. The tape stands at the functions of PyTorch instead
(`torch.overrides.TorchFunctionMode`) and keeps a stack of the modules that are running.

    values        tensors that depend on the picture; an in-place operation makes a new one
    operations    functions that make values of values, parameters and constants

What is computed from parameters alone (standardised weights, a position table that is reshaped) is no operation of the tape; the
operation that uses it at last names the parameters.
"""

from wiesel.analysis.tape.forward import record
from wiesel.analysis.tape.recorded import Call, Failure, Operation, Tape, Value
from wiesel.analysis.tape.replaying import replay
from wiesel.analysis.tape.tracer import Watch

__all__ = ["Call", "Failure", "Operation", "Tape", "Value", "Watch", "record", "replay"]
