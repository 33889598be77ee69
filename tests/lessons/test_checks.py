"""Checkers: right solutions are right, mistakes that learners make are found and named, templates are open and hold no solution."""
# ruff: noqa: E501

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="some exercises read scikit-learn's digits")

from tests.lessons.solutions import SOLUTIONS
from wiesel.errors import NoExercise, NotUtf8
from wiesel.jobs.lesson import check as in_a_process
from wiesel.jobs.lesson import open_copy
from wiesel.lessons.catalogue import exercises
from wiesel.lessons.checking import Result, check
from wiesel.lessons.reader import answer

Judge = Callable[[str, str], list[Result]]

WITHOUT_RUN = [name for name in SOLUTIONS if name != "lab_sheet_1"]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setenv("WIESEL_LANG", "en")

    def of(name: str, code: str) -> list[Result]:
        path = tmp_path / f"{name}.py"
        path.write_text(f"# exercise: {name}\n{code}", encoding="utf-8")
        return list(check(path))

    return of


def wrong(results: list[Result]) -> dict[str, str]:
    return {one.part: one.text for one in results if one.state == "wrong"}


def test_every_exercise_has_a_checker_and_a_solution_here() -> None:
    assert {entry.name for entry in exercises()} == set(SOLUTIONS)


@pytest.mark.parametrize("name", WITHOUT_RUN)
def test_right_solutions_are_right(name: str, judge: Judge) -> None:
    results = judge(name, SOLUTIONS[name])
    assert wrong(results) == {}
    assert any(one.state == "right" for one in results)
    needs_runs = {"without_residuals": 1, "lab_sheet_2": 5}
    assert sum(one.state == "open" for one in results) == needs_runs.get(name, 0)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", sorted(SOLUTIONS))
def test_templates_are_open_and_nothing_in_them_is_solved(
    name: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIESEL_LANG", language)
    path = open_copy(name, output=tmp_path, lang=language)  # type: ignore[arg-type]
    assert {one.state for one in check(path)} == {"open"}


MISTAKES = [
    ("conv2d", "def output_size(side, kernel, stride, padding):\n    return (side + 2 * padding - kernel) / stride + 1", "output_size", "not the number of windows"),
    ("conv2d", "import torch\ndef conv2d(p, w, b, stride=1, padding=0):\n    return torch.nn.functional.conv2d(p, w, b, stride, padding)", "conv2d", "ready-made conv2d"),
    ("conv2d", "import torch\ndef conv2d(p, w, b, stride=1, padding=0):\n    return p[0, 0, 99, 99]", "conv2d", "line 4: return p[0, 0, 99, 99]"),
    ("conv2d", "import numpy as np\ndef output_size(side, kernel, stride, padding):\n    return np.floor((side + 2 * padding - kernel) / stride) + 1", "output_size", "is right, but a float64"),
    ("conv2d", "def max_pool2d(p, size, stride):\n    exit()", "max_pool2d", "this ends the program"),
    ("conv2d", SOLUTIONS["conv2d"] + "\nexit()\n", "file", "exit()\nSystemExit (this ends the program"),
    ("vanishing_gradients", "def left_after(factor, layers, shortcut):\n    (factor + shortcut) ** layers", "left_after", "Is a `return` missing?"),
    ("recent_paper", 'model = "mobilenet_v3_large"\nparameters = 5, 4', "parameters", "something else than asked for"),
    ("resnet", SOLUTIONS["resnet"].replace("F.relu(self.bn1(", "F.sigmoid(self.bn1("), "resnet18", "other answers"),
    ("resnet", SOLUTIONS["resnet"].replace("F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) +", "F.relu(-3 * self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) +"), "resnet18", "other answers"),
    ("resnet", SOLUTIONS["resnet"].replace("channels, 1, bias=False), nn.BatchNorm2d(channels)\n", "channels, 1, stride, bias=False), nn.BatchNorm2d(channels)\n").replace("channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)\n        self.conv3", "channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)\n        self.conv3"), "resnet50", "other answers"),
    ("lab_sheet_1", "import numpy as np\ndef softmax(x):\n    x = np.exp2(x - x.max(1, keepdims=True))\n    return x / x.sum(1, keepdims=True)", "(g)", "base e"),
    ("lab_sheet_2", "from torch import nn\ndef Parallel():\n    return nn.Sequential(*(nn.Conv2d(1 if i == 0 else 4, 4, 3, padding=1) for i in range(6)), nn.Flatten(), nn.Linear(4 * 784, 10))", "(j)", "same input"),
    ("conv2d", "def max_pool2d(p, size, stride):\n    return p", "max_pool2d", "shape"),
    ("conv2d", "def conv2d(:\n    pass", "file", "SyntaxError"),
    ("cnn_mnist", "from torch import nn\ndef network():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))", "network", "no convolution"),
    ("transfer", "def adapt(network, classes):\n    return network", "adapt", "(4, 7)"),
    ("filter_effects", 'kinds = {"sobel_x": "high-pass"}', "sobel_x", "finest waves"),
    ("filter_effects", "blur = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]", "blur", "brightness"),
    ("filter_effects", "level_edges = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]", "level_edges", "upright edge"),
    ("without_residuals", SOLUTIONS["without_residuals"].replace("(self.conv1(x))))))", "(self.conv1(x))))) + x)"), "PlainBlock", "still there"),
    ("without_residuals", 'residual_run = plain_run = "nowhere"', "runs", "nowhere"),
    ("resnet", SOLUTIONS["resnet"].replace("stride, 1, bias=False), nn", "stride, 1), nn"), "BasicBlock", "bias=False"),
    ("vanishing_gradients", SOLUTIONS["vanishing_gradients"].replace("    network.zero_grad()\n", ""), "gradient_norms", "add up"),
    ("three_families", SOLUTIONS["three_families"].replace("return total", "return 2 * total"), "multiply_adds", "two per multiply-add"),
    ("compound_scaling", SOLUTIONS["compound_scaling"].replace("math.ceil", "round"), "scaled", "right is"),
    ("gaussian_process", SOLUTIONS["gaussian_process"].replace("1 - np.diag", "1 + noise - np.diag"), "posterior", "noise"),
    ("recent_paper", 'model = "alexnet2012"', "model", "2012"),
    ("lab_sheet_1", "import numpy as np\ndef softmax(x):\n    return np.exp(x) / np.exp(x).sum(1, keepdims=True)", "(g)", "overflows"),
    ("lab_sheet_2", SOLUTIONS["lab_sheet_2"].replace("        else:\n            with_activation(child, new)\n", ""), "(c)", "2 are left"),
    ("lab_sheet_2", SOLUTIONS["lab_sheet_2"].replace("    for hook in hooks:\n        hook.remove()\n", ""), "(d)", "hooks stay"),
    ("lab_sheet_2", SOLUTIONS["lab_sheet_2"].replace("self.b(x)]", "self.b(x * 1)]"), "(j)", "same input"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "part", "said"), MISTAKES, ids=[f"{m[0]}-{m[2]}-{i}" for i, m in enumerate(MISTAKES)])
def test_mistakes_are_found_and_named(name: str, code: str, part: str, said: str, judge: Judge) -> None:
    found = wrong(judge(name, code))
    assert said in found.get(part, ""), found
    assert "Traceback" not in found[part]


def test_what_is_judged_is_what_the_file_says_now(tmp_path: Path, judge: Judge) -> None:
    """Also after an edit that changes neither the file's length nor the second of its time; and nothing is left beside it."""
    path = tmp_path / "conv2d.py"
    for sign, right in (("-", True), ("+", False)):
        path.write_text(
            f"# exercise: conv2d\ndef output_size(side, kernel, stride, padding):\n    return (side + 2 * padding {sign} kernel) // stride + 1"
        )
        os.utime(path, (1e9, 1e9))
        assert ("output_size" not in wrong(list(check(path)))) == right
    assert [found.name for found in tmp_path.iterdir()] == ["conv2d.py"]


def test_an_endless_loop_ends_and_what_was_found_before_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    path = tmp_path / "mine.py"
    path.write_text("# exercise: recent_paper\nwhile True: pass\n")
    results = in_a_process(path, seconds=4)
    assert [one.state for one in results] == ["wrong"]
    assert "Stopped after 4 seconds" in results[0].text


def test_a_file_that_ends_its_process_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    path = tmp_path / "mine.py"
    path.write_text("# exercise: recent_paper\nimport os\nos._exit(7)\n")
    (result,) = in_a_process(path)
    assert "exit code 7" in result.text

    path.write_text("# exercise: conv2d\nimport os\ndef output_size(*_): return 1\ndef max_pool2d(*_): os._exit(0)\n")
    opened, ended = in_a_process(path)
    assert (opened.part, opened.state) == ("conv2d", "open")
    assert ended.state == "wrong"
    assert "in what comes after conv2d (exit code 0)" in ended.text


@pytest.mark.parametrize("language", ["de", "en"])
def test_an_exercise_may_be_a_notebook(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", language)
    path = open_copy("conv2d", output=tmp_path, notebook=True, lang=language)  # type: ignore[arg-type]
    assert {one.state for one in in_a_process(path)} == {"open"}
    made = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    code[-1]["source"] = [
        "%matplotlib inline\n",
        "!ls\n",
        "def output_size(side, kernel, stride, padding):\n",
        "    return 1 / 0\n",
    ]
    path.write_text(json.dumps(made), encoding="utf-8")
    (size,) = [one for one in in_a_process(path) if one.part == "output_size"]
    assert size.text == "return 1 / 0\nZeroDivisionError: division by zero"


def test_a_file_that_is_no_text_or_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes("# exercise: conv2d\n# Grösse\n".encode("latin-1"))
    with pytest.raises(NotUtf8, match="UTF-8"):
        in_a_process(path)
    for content in ("# exercise: conv2d", "[]", '{"cells": 3}'):
        (tmp_path / "mine.ipynb").write_text(content)
        with pytest.raises(NoExercise):
            in_a_process(tmp_path / "mine.ipynb")


def test_what_is_missing_is_named(judge: Judge) -> None:
    template = "class BasicBlock:\n    expansion = 1\n    def __init__(self, *_):\n        raise NotImplementedError\n"
    code = template + "def resnet(block, blocks):\n    return block(64, 64)\n"
    said = {one.part: one.text for one in judge("resnet", code) if one.state == "open"}
    assert said["resnet18"] == "`BasicBlock.__init__` is not filled in yet."
    assert said["resnet50"] == "`Bottleneck` is not filled in yet."


@pytest.mark.parametrize(
    ("given", "right", "fine"),
    [
        (None, 3, None),
        (3, 3, True),
        (3.01, 3, False),  # a count is met or not
        (0.667, 2 / 3, True),
        (0.66, 2 / 3, False),
        (0.0156, 0.25**3, True),
        (np.float32(0.25), 0.25, True),
        ((0, 0), 0, False),
        ("1/64", 1 / 64, False),
        ("b", "b", True),
        ([1], lambda weights: weights.shape, False),  # what the reader wrote breaks the judge
    ],
)
def test_answers_of_lessons(given: object, right: object, fine: bool | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("1", given, right) is fine
    said = capsys.readouterr().out
    assert ("with a point" in said or "mit Punkt" in said) == (isinstance(right, (int, float)) and isinstance(given, (tuple, str)))


def test_the_lab_sheet_s_run_is_judged_by_its_folder(tmp_path: Path, judge: Judge) -> None:
    from tests.reports.example_run import blobs, write_run
    from wiesel.recipe import Training

    classes = ("cat", "dog", "owl", "fox", "eel", "hen")
    write_run(tmp_path / "run", blobs(classes), architecture="resnet20", training=Training(epochs=5))
    write_run(tmp_path / "short", blobs(classes), training=Training(epochs=2))
    plain = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    best = max(plain["per_class"], key=lambda one: one["f1"])["name"]
    four = [plain["classes"][one["index"]] for one in plain["most_confused_classes"]]
    (tmp_path / "network.svg").write_text("<svg></svg>")
    code = SOLUTIONS["lab_sheet_1"].replace("CONFUSED", repr(four)).replace("BEST", repr(best))
    assert wrong(judge("lab_sheet_1", code)) == {}
    other = next(name for name in classes if name not in four)
    assert f"{other} is not among them" in wrong(judge("lab_sheet_1", code.replace(repr(four[-1]), repr(other))))["(d)"]
    assert "at least 5" in wrong(judge("lab_sheet_1", code.replace('run = "run"', 'run = "short"')))["(c)"]


def test_a_training_that_takes_longer_than_allowed_is_not_right(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiesel.lessons.checks.cnn_mnist.LIMIT", 0.01)
    assert wrong(judge("cnn_mnist", SOLUTIONS["cnn_mnist"]))["train"].endswith("allowed are 0.01 s")


def test_a_verdict_is_told_in_the_readers_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typing import get_args

    from wiesel.comparison.equivalence import Word
    from wiesel.lessons.checks.lab_sheet_2 import VERDICTS

    assert set(VERDICTS) == set(get_args(Word))
    (tmp_path / "comparison").mkdir()
    (tmp_path / "comparison" / "comparison.json").write_text('{"verdict": "better"}')
    (tmp_path / "comparison" / "plan.toml").write_text('change = ["pooling=stride"]')
    path = tmp_path / "lab_sheet_2.py"
    path.write_text('# exercise: lab_sheet_2\nstride_comparison = "comparison"\n')
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert next(one.text for one in check(path) if one.part == "(e)") == "Urteil: besser"
