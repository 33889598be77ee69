"""What a PyTorch function was told besides its tensors, by name and in one form, however it was called.

`F.max_pool2d(x, 2)`, `nn.MaxPool2d(2)` and `x.max_pool2d(kernel_size=(2, 2))` mean the same. Windows come as

    kernel, stride, dilation     one number per axis: (height, width) in two dimensions
    padding                      begins of all axes, then ends: (top, left, bottom, right) in two dimensions
    ceil_mode                    whether a last window may begin that does not fit in whole

Padding "same" is resolved: the odd pixel of an even window goes to the bottom and the right, as PyTorch does it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from torch import Tensor

# Compiled functions do not tell the names of their arguments.
_POOL = "input kernel_size stride padding"
_CONV = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
ARGUMENTS: dict[str, str] = {
    **{f"conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _TRANSPOSED for n in (1, 2, 3)},
    **{f"max_pool{n}d": f"{_POOL} dilation ceil_mode return_indices" for n in (1, 2, 3)},
    **{f"avg_pool{n}d": f"{_POOL} ceil_mode count_include_pad divisor_override" for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": "input output_size return_indices" for kind in ("avg", "max") for n in (1, 2, 3)},
    **dict.fromkeys(("add", "sub", "mul", "div", "pow", "matmul", "bmm", "floordiv", "remainder"), "input other"),
    **dict.fromkeys(("mean", "sum", "prod", "max", "min", "all", "any", "argmax", "argmin", "median"), "input dim keepdim"),
    **dict.fromkeys(("amax", "amin", "cummax", "cumsum", "logsumexp", "std", "var", "var_mean", "std_mean"), "input dim keepdim"),
    **dict.fromkeys(("softmax", "log_softmax", "unsqueeze", "squeeze", "unbind", "glu", "sort"), "input dim"),
    **dict.fromkeys(("cat", "stack"), "tensors dim"),
    "flatten": "input start_dim end_dim",
    "unflatten": "input dim sizes",
    "transpose": "input dim0 dim1",
    "chunk": "input chunks dim",
    "split": "input split_size dim",
    "split_with_sizes": "input split_size dim",
    "tensor_split": "input indices_or_sections dim",
    "narrow": "input dim start length",
    "select": "input dim index",
    "index_select": "input dim index",
    "gather": "input dim index",
    "topk": "input k dim",
    "roll": "input shifts dims",
    "unfold": "input dimension size step",
    "getitem": "input index",
    "setitem": "input index value",
    "clamp": "input min max",
    "linear": "input weight bias",
    "gelu": "input",
    "pixel_shuffle": "input upscale_factor",
    "pixel_unshuffle": "input downscale_factor",
    "channel_shuffle": "input groups",
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal",
    "addmm": "input mat1 mat2",
    "baddbmm": "input batch1 batch2",
    "lerp": "input end weight",
    "where": "condition input other",
    "masked_fill": "input mask value",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    **{f"conv{n}d": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1} for n in (1, 2, 3)},
    **{f"max_pool{n}d": {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False} for n in (1, 2, 3)},
    **{f"avg_pool{n}d": {"stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True} for n in (1, 2, 3)},
    **{f"lp_pool{n}d": {"padding": 0} for n in (1, 2, 3)},
    **{name: {"dim": 0} for name in ("cat", "stack", "chunk", "split", "unbind")},
    "flatten": {"start_dim": 0, "end_dim": -1},
}
# Take their axes or sizes as a list or one by one.
VARIADIC = {
    **dict.fromkeys(("permute", "flip"), "dims"),
    **dict.fromkeys(("view", "reshape", "expand", "repeat", "tile"), "shape"),
}


def settings(name: str, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are no tensors, by name; `name` is the plain one of the function (`conv2d`, `add`).

    Convolutions and pools come in the form described above, with `in_channels`, `out_channels` and `bias`; what they compute
    with is numbers only.
    """
    bound = _bind(name, function, arguments, keywords)
    base = name.removesuffix("_with_indices")
    bound = {**DEFAULTS.get(base, {}), **bound}
    axes = int(base[-2]) if base[-2:] in ("1d", "2d", "3d") else 0
    if axes and base.startswith("conv"):
        return _convolution(base, axes, bound)
    if axes and base.startswith(("max_pool", "avg_pool", "lp_pool")):
        return _pool(axes, bound)
    if axes and base.startswith("adaptive"):
        return {"output_size": _per_axis(bound["output_size"], axes)}
    return {key: _plain(value) for key, value in bound.items() if not _holds_tensor(value) and not key.startswith("_")}


def _bind(name: str, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    if name in VARIADIC:
        rest = arguments[1:]
        sizes = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else rest
        return {VARIADIC[name]: sizes, **keywords} if rest else dict(keywords)
    names = _names(function) or tuple(ARGUMENTS.get(name.removesuffix("_with_indices"), "input").split())
    names += tuple(f"argument{position}" for position in range(len(names), len(arguments)))
    return {**dict(zip(names, arguments, strict=False)), **keywords}


@cache
def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    if not inspect.isfunction(function):
        return ()
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return ()
    return tuple(parameter.name for parameter in parameters)


def _convolution(name: str, axes: int, bound: dict[str, Any]) -> dict[str, Any]:
    weight = bound["weight"]
    kernel, dilation = tuple(weight.shape[2:]), _per_axis(bound["dilation"], axes)
    transposed = "transpose" in name
    groups = bound["groups"]
    found = {
        "kernel": kernel,
        "stride": _per_axis(bound["stride"], axes),
        "padding": _padding(bound["padding"], axes, kernel, dilation),
        "dilation": dilation,
        "groups": groups,
        "in_channels": weight.shape[0] if transposed else weight.shape[1] * groups,
        "out_channels": weight.shape[1] * groups if transposed else weight.shape[0],
        "bias": bound.get("bias") is not None,
    }
    if transposed:
        found["output_padding"] = _per_axis(bound["output_padding"], axes)
    return found


def _pool(axes: int, bound: dict[str, Any]) -> dict[str, Any]:
    kernel = _per_axis(bound["kernel_size"], axes)
    stride = bound["stride"]
    dilation = _per_axis(bound.get("dilation", 1), axes)
    found = {
        "kernel": kernel,
        "stride": kernel if stride is None or stride == [] else _per_axis(stride, axes),
        "padding": _padding(bound["padding"], axes, kernel, dilation),
        "dilation": dilation,
        "ceil_mode": bool(bound["ceil_mode"]),
    }
    return found | {key: bound[key] for key in ("count_include_pad", "norm_type") if key in bound}


def _padding(padding: Any, axes: int, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    if padding == "valid":
        return (0,) * (2 * axes)
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (*(total // 2 for total in totals), *(total - total // 2 for total in totals))
    return _per_axis(padding, axes) * 2


def _per_axis(value: Any, axes: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * axes if len(values) == 1 else values


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_holds_tensor(item) for item in value)
    return isinstance(value, Tensor)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_plain(item) for item in value)
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, str, slice)):
        return value
    return str(value)
