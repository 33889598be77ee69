"""What this room may not use, and who may not use this room."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import wiesel

ROOM = Path(wiesel.__file__).parent / "scratch"
FILES = sorted(ROOM.glob("*.py"))
MODULES = (
    "__future__",
    "collections.abc",
    "dataclasses",
    "itertools",
    "math",
    "torch",
    "torch.autograd.function",
    "types",
    "typing",
)
# torch.nn gives the frame of a layer, no arithmetic.
FROM_NN = {"Module", "Parameter"}
READY_MADE = ("conv", "pool", "fold", "pad", "im2col", "col2im", "functional", "mkldnn", "cudnn")
WHOLE_NAMES = ("ops", "_C", "_VF", "backends")
OWN = {"padding", "padded", "count_include_pad", "_convolve", "convolve"}


def ready_made(tree):
    """Names after a dot that would do the work of this room, except those it defines itself."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} - OWN
    return [name for name in names if name in WHOLE_NAMES or any(word in name.lower() for word in READY_MADE)]


def test_there_is_something_to_look_at():
    assert {"geometry", "loops", "im2col", "fft", "winograd", "pooling", "modules", "error"} <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_ready_made_convolution_or_pooling(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ready_made(tree) == []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(name.name in MODULES for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.module in MODULES or node.module.startswith(("wiesel.scratch", "wiesel.errors", "wiesel.language"))
            if node.module == "torch":
                assert {name.name for name in node.names} <= {"Tensor", "nn"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nn":
            assert node.attr in FROM_NN
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("getattr", "__import__", "eval", "exec")


@pytest.mark.parametrize(
    "line",
    [
        "F.conv2d(x, w)",
        "torch.nn.functional.relu(x)",
        "nn.Conv2d(1, 1, 3)",
        "x.unfold(2, 3, 1)",
        "F.pad(x, (1, 1))",
        "F.max_pool2d(x, 2)",
        "torch.convolution(x)",
        "torch.ops.aten.relu(x)",
        "torch._C._nn.gelu(x)",
        "nn.AvgPool2d(2)",
        "F.fold(x)",
        "nn.Unfold(3)",
    ],
)
def test_the_check_above_would_see_it(line):
    assert ready_made(ast.parse(line))


def test_no_other_room_imports_this_one():
    others = [
        file for file in ROOM.parent.rglob("*.py") if ROOM not in file.parents and not {"teaching", "lessons"} & set(file.parts)
    ]
    assert len(others) > 50
    for file in others:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("wiesel.scratch"), file
                assert not (node.module == "wiesel" and any(name.name == "scratch" for name in node.names)), file
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("wiesel.scratch") for name in node.names), file


@pytest.mark.parametrize("name", ["geometry", "modules", "error"])
def test_the_examples_in_the_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(f"wiesel.scratch.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
