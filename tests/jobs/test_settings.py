"""A value of the wrong type, an unknown choice and a setting that would do nothing are refused before anything is read or written."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest

import wiesel
from wiesel.errors import BadValue, NotAFile
from wiesel.jobs.settings import with_settings
from wiesel.jobs.train import Stopped
from wiesel.recipe import Recipe


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimiser": "adam"}, r"optimiser = 'adam' is not possible: sgd \| adamw \| muon\."),
        ({"schedule": "onecycle"}, r"schedule = 'onecycle' is not possible: one_cycle \| cosine"),
        ({"class_weights": "auto"}, r"class_weights = 'auto' is not possible: none \| balanced"),
        ({"precision": "float32"}, r"precision = 'float32' is not possible: auto \| bf16 \| fp32"),
        ({"epochs": "3"}, r"epochs = '3' is not possible: Expected `int`, got `str`"),
        ({"epochs": 2.5}, r"epochs = 2\.5 is not possible"),
        ({"validation": 1.5}, r"validation = 1\.5 is not possible: a share between 0 and 1, or a number"),
        ({"epochs": 0}, r"epochs = 0 is not possible: 1 to 1,000,000\."),
        ({"epochs": 2_000_000_000}, r"epochs = 2000000000 is not possible: 1 to 1,000,000\."),
        ({"threads": 2**64}, r"threads = 18446744073709551616 is not possible: 0 to 1,024\."),
        ({"processes": 10**9, "batch": 10**10}, r"processes = 1000000000 is not possible: 1 to 1,024\."),
        ({"validation": math.inf}, r"validation = inf is not possible: a share between 0 and 1, or a number of pictures\."),
        ({"test": 1e300}, r"test = 1e\+300 is not possible"),
        ({"resolutions": ((0.5, "small"),)}, r"resolutions = \(\(0\.5, 'small'\),\) is not possible"),
        ({"model": 5}, r"architecture = 5 is not possible"),
        ({"preset": "fastest"}, r"preset = 'fastest' is not possible: standard \| few \| fast"),
        ({"mode": "finetune"}, r"mode = 'finetune' is not possible: only with --pretrained"),
        ({"layer_decay": 0.5}, r"layer_decay = 0\.5 is not possible: only with --pretrained"),
        (
            {"resume": "runs/one", "epochs": 20},
            r"epochs = 20 is not possible: nothing beside --resume.* `wiesel train runs/one/recipe.toml …`",
        ),
        ({"resume": "runs/one", "recipe": "other.toml"}, r"recipe = 'other.toml' is not possible: nothing beside --resume"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(BadValue, match=said):
        wiesel.train(**settings)
    assert not Path("runs").exists()


def test_whole_numbers_and_paths_are_taken_where_they_mean_the_same() -> None:
    found = with_settings(Recipe(), {"rate": 1, "source": Path("some/where"), "changes": ["norm=off"]})
    assert (found.training.rate, found.data.source, found.network.changes) == (1.0, "some/where", ("norm=off",))
    assert isinstance(found.training.rate, float)


def test_what_is_no_recipe_file_is_named_with_the_flag_that_was_meant() -> None:
    Path("photos/cats").mkdir(parents=True)
    Path("run").mkdir()
    Path("run/recipe.toml").write_text("seed = 1\n", encoding="utf-8")
    Path("old.toml").write_bytes('architecture = "für"\n'.encode("latin-1"))
    for word, said in (
        ("resnet18", r"no such file\. Did you mean `wiesel train --model resnet18`\?"),
        ("resnet18:norm=off", r"Did you mean `wiesel train --model resnet18:norm=off`\?"),
        ("fashion-mnist", r"Did you mean `wiesel train --data fashion-mnist`\?"),
        ("photos", r"it is a folder\. Did you mean `wiesel train --data photos`\?"),
        ("run", r"`wiesel train --resume run` goes on with it"),
        ("missing.toml", r"'missing\.toml' cannot be read: there is no such file\.$"),
        ("old.toml", r"no text in UTF-8 \(byte 17\)"),
    ):
        with pytest.raises(NotAFile, match=said):
            wiesel.train(recipe=word)


def test_the_command_that_goes_on_is_quoted_and_survives_the_way_to_another_process() -> None:
    stopped = copy.copy(Stopped(step=3, run=Path("my runs/one"), signal=2))
    assert str(stopped).endswith("Go on with: wiesel train --resume 'my runs/one'")
    assert stopped.exit_code == 130
