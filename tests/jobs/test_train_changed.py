"""Training with `--change`, from the command line to the predictions of the run that was loaded again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import wiesel
from wiesel import zoo
from wiesel.cli import run as command
from wiesel.errors import BadChange, LayerNotFound, UnknownChange
from wiesel.jobs.change import change
from wiesel.jobs.settings import with_settings
from wiesel.recipe import NetworkOptions, Recipe, from_toml, to_toml
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder
from wiesel.training.fit import fresh_network

SMALL = {"epochs": 1, "batch": 16, "threads": 1, "precision": "fp32"}


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures") / "stripes"
    rng = np.random.default_rng(0)
    for number in range(60):
        label = number % 3
        pixels = rng.integers(0, 90, (12, 12), dtype=np.uint8)
        pixels[:, 4 * label : 4 * label + 4] += 120
        path = place / ("left", "middle", "right")[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return place


def test_changes_are_a_part_of_the_recipe() -> None:
    recipe = Recipe(network=NetworkOptions(changes=("norm=off", "init=normal:0.01")))
    assert from_toml(to_toml(recipe)) == recipe
    named = with_settings(Recipe(), {"architecture": "vgg11:kernel=5,norm=off", "changes": ("head=onehot",)})
    assert (named.architecture, named.network.changes) == ("vgg11", ("kernel=5", "norm=off", "head=onehot"))
    assert with_settings(recipe, {"architecture": "resnet20"}).network.changes == recipe.network.changes


def test_the_account_of_each_change_counts_parameters_and_multiply_adds() -> None:
    with torch.device("meta"):
        network = zoo.build("simple_cnn", size=28)
    after, (kernel, width) = change(network, ["kernel=5@stage1", "width=2"], image=(1, 28, 28))
    first, second, last = 32 * 9, 64 * 32 * 9, 64 * 10
    assert kernel.macs == (784 * (first + second) + last, 784 * (32 * 25 + second) + last)
    assert width.macs == (kernel.macs[1], 784 * (64 * 25 + 4 * second) + 2 * last)
    assert width.changed.parameters[1] == sum(parameter.numel() for parameter in after.parameters())
    assert kernel.sentence() == (
        "kernel=5@stage1: 1 layer (features.stage1.conv), parameters 19,466 -> 19,978, multiply-adds 14,677,120 -> 15,078,528"
    )


def test_a_changed_network_is_trained_saved_and_loaded_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--model", "resnet20", "--change", "activation=sigmoid", "--change", "depth=-1", "--change", "head=onehot"]
    settings = ["--epochs", "1", "--batch-size", "16", "--threads", "1", "--precision", "fp32"]
    assert command(["train", *flags, "--data", str(folder), "--output", str(tmp_path / "run"), *settings, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["changes"] == ["activation=sigmoid", "depth=-1", "head=onehot"]
    assert "depth=-1: 3 layers (features.stage1.block3" in said.err
    run = RunFolder.open(tmp_path / "run")
    recipe = run.read_recipe()
    assert recipe.network.changes == ("activation=sigmoid", "depth=-1", "head=onehot")

    model = trained.load(run)
    assert sum(isinstance(layer, nn.Sigmoid) for layer in model.network.modules()) == 13
    saved = np.load(run.path / "predictions" / "test.npz", allow_pickle=False)
    data = wiesel.load(folder, size=12)
    pictures = {
        name: data_split.pixels[i]
        for data_split in (data.train, data.test)
        if data_split
        for i, name in enumerate(data_split.names)
    }
    batch = np.stack([pictures[name] for name in saved["names"]])
    with torch.no_grad():
        answer = model.network(model.preprocessing.normalise(torch.from_numpy(batch)))
    torch.testing.assert_close(answer.logits, torch.from_numpy(saved["logits"]), rtol=1e-4, atol=1e-4)
    assert answer.label.tolist() == saved["logits"].argmax(1).tolist()


def test_training_and_loading_build_the_same_network() -> None:
    recipe = Recipe(architecture="resnet20", network=NetworkOptions(changes=("norm=group", "branch=parallel:3x3@stage1")), seed=3)
    state = torch.random.get_rng_state()
    one, two = (fresh_network(recipe, classes=3, image=(1, 12, 12)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [(("activatoin=relu",), UnknownChange), (("pooling=stride",), BadChange), (("kernel=5@stage9",), LayerNotFound)],
)
def test_a_change_that_cannot_be_is_refused_before_a_folder_is_made(
    changes: tuple[str, ...], kind: type[Exception], folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(kind):
        wiesel.train("resnet20", folder, output=tmp_path / "run", changes=changes, **SMALL)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
