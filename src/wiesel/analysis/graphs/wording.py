"""What an operation of a tape is called on a drawing, what role it plays."""

from __future__ import annotations

from collections.abc import Sequence

from wiesel.analysis.graphs.graph import Role
from wiesel.analysis.tape import Operation, Tape

NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm", "rms_norm", "normalize")
ACTIVATIONS = (
    *("relu", "relu6", "hardtanh", "tanh", "sigmoid", "hardsigmoid", "silu", "gelu", "hardswish", "leaky_relu", "prelu", "elu"),
    *("selu", "celu", "mish", "softplus", "softmax", "log_softmax", "logsigmoid", "glu", "clamp", "square"),
)
PRODUCTS = ("linear", "matmul", "bmm", "addmm", "baddbmm", "einsum", "bilinear", "scaled_dot_product_attention")
MERGES = ("add", "sub", "mul", "div", "cat", "stack", "maximum", "minimum", "where", "lerp", "addcmul")
RESHAPES = (
    *("flatten", "unflatten", "reshape", "view", "permute", "transpose", "moveaxis", "contiguous", "getitem", "setitem", "chunk"),
    *(
        "split",
        "split_with_sizes",
        "tensor_split",
        "unbind",
        "select",
        "narrow",
        "squeeze",
        "unsqueeze",
        "expand",
        "repeat",
        "roll",
    ),
    *("pad", "interpolate", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "flip", "clone", "to", "float", "t"),
)
SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷"}


def role(operation: Operation) -> Role:
    """What kind of operation it is. An addition of a constant is no merge."""
    name = operation.name
    if name.startswith("conv"):
        return "convolution"
    if name in PRODUCTS:
        return "linear"
    if name in NORMS:
        return "norm"
    if name in ACTIVATIONS:
        return "activation"
    if "pool" in name or name in ("mean", "amax"):
        return "pooling"
    if name in MERGES and len(set(operation.inputs)) > 1:
        return "merge"
    return "reshape" if name in RESHAPES else "other"


def wording(operation: Operation, tape: Tape) -> str:
    """The operation in a few words, the same in every language: "conv 3×3, 64, stride 2", "max pool 2×2, stride 2", "relu"."""
    name, told = operation.name, operation.settings
    if name.startswith("conv") and "kernel" in told:
        return _convolution(operation)
    if "pool" in name:
        kind = name.removeprefix("adaptive_").split("_")[0]
        if name.startswith("adaptive"):
            if set(told["output_size"]) == {1}:
                return f"global {kind} pool"
            return f"{kind} pool to {window(tuple(side for side in told['output_size'] if side is not None))}"
        words = f"{kind} pool {window(told['kernel'])}" if "kernel" in told else f"{kind} pool"
        return words + _stride(told.get("stride", ()))
    if role(operation) == "merge":
        return SYMBOLS.get(name, name)
    if name in SYMBOLS:
        return f"{SYMBOLS[name]} constant" if not operation.parameters else f"{SYMBOLS[name]} parameter"
    if name == "linear" and operation.outputs:
        return f"linear, {tape.values[operation.outputs[0]].shape[-1]}"
    if name == "getitem":
        return _index(told.get("key", told.get("index")))
    return name.replace("_", " ")


def window(sides: Sequence[int]) -> str:
    return "×".join(map(str, sides))


def _convolution(operation: Operation) -> str:
    told = operation.settings
    groups, channels = told["groups"], told["out_channels"]
    depthwise = groups > 1 and groups == told["in_channels"]
    kind = "transposed conv" if "transpose" in operation.name else "depthwise" if depthwise else "conv"
    words = f"{kind} {window(told['kernel'])}, {channels}{_stride(told['stride'])}"
    if groups > 1 and not depthwise:
        words += f", {groups} groups"
    if any(step > 1 for step in told["dilation"]):
        words += f", dilation {told['dilation'][0]}"
    return words


def _stride(stride: Sequence[int]) -> str:
    if all(step == 1 for step in stride):
        return ""
    return f", stride {stride[0] if len(set(stride)) == 1 else window(stride)}"


def _index(key: object) -> str:
    """As it is written: "[:, :, ::2, ::2]"."""
    parts = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, slice):
            start, stop, step = ("" if bound is None else str(bound) for bound in (part.start, part.stop, part.step))
            parts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        else:
            parts.append("..." if part is Ellipsis else str(part))
    text = ", ".join(parts)
    return f"[{text}]" if len(text) <= 24 else "[...]"
