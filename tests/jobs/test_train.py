"""The main job on a small folder of real picture files, through the real command line and the Python functions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wiesel
from wiesel import images
from wiesel.cli import run as run_command
from wiesel.errors import (
    BadValue,
    DataChanged,
    FolderTaken,
    NoSuchPicture,
    NotARun,
    Undecodable,
    UnknownSetting,
    WieselError,
)
from wiesel.jobs.evaluate import assessment_of, evaluate_views
from wiesel.jobs.pictures import load
from wiesel.jobs.settings import SECTIONS, known_settings
from wiesel.recipe import DataChoice
from wiesel.runs import events
from wiesel.runs.folder import RunFolder

SMALL = {"model": "simple_cnn", "epochs": 2, "batch": 16, "threads": 1, "optimiser": "adamw", "precision": "fp32"}


def make_folder(place: Path, count: int = 90, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for number in range(count):
        label = number % 3
        pixels = rng.integers(0, 90, (12, 12), dtype=np.uint8)
        pixels[:, 4 * label : 4 * label + 4] += 120
        path = place / ("left", "middle", "right")[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures") / "stripes")


@pytest.fixture(scope="module")
def result(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> wiesel.Run:
    return wiesel.train(data=folder, output=tmp_path_factory.mktemp("runs") / "run", **SMALL)  # type: ignore[arg-type, no-any-return]


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wiesel", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "WIESEL_LANG": "en", "OMP_NUM_THREADS": "1", **environment},
        timeout=300,
        check=False,
    )


def test_every_setting_has_one_name() -> None:
    import dataclasses

    assert len(known_settings()) == sum(len(dataclasses.fields(kind)) for kind in SECTIONS.values())


@pytest.mark.parametrize(("settings", "flip"), [({}, True), ({"flip": False}, False)])
def test_clothes_are_mirrored_unless_somebody_says_no(settings: dict[str, bool], flip: bool, tmp_path: Path) -> None:
    few = {**SMALL, "model": "lenet5", "epochs": 1, "validation": 9_900}  # which leaves 100 to train on
    done = wiesel.train(data="fashion-mnist-sample", output=tmp_path / "run", **few, **settings)  # type: ignore[arg-type]
    assert RunFolder.open(done.run).read_recipe().augmentation.flip is flip


def test_the_run_folder_holds_everything(result) -> None:  # type: ignore[no-untyped-def]
    run = RunFolder.open(result.run)
    run.check()
    for path in (
        run.recipe,
        run.classes,
        run.preprocessing,
        run.splits,
        run.events,
        run.weights,
        run.evaluation,
        run.provenance,
        run.report,
    ):
        assert path.is_file()
    assert run.read_classes() == ("left", "middle", "right")
    assert run.predictions("test").is_file()
    assert not [path for path in run.path.rglob("*") if path.suffix in (".pkl", ".pt", ".pth", ".ckpt")]


def test_json_has_the_promised_keys_and_agrees_with_the_predictions(result) -> None:  # type: ignore[no-untyped-def]
    facts = result.to_json()
    assert facts.keys() == {
        "run", "model", "changes", "data", "split", "n", "accuracy", "interval", "seconds", "parameters", "macs", "seed", "report",
    }  # fmt: skip
    with np.load(Path(facts["run"]) / "predictions" / "test.npz") as saved:
        right = (saved["logits"].argmax(1) == saved["labels"]).mean()
    assert facts["accuracy"] == right
    assert facts["interval"][0] <= right <= facts["interval"][1]
    assert facts["n"] == 9
    assert facts["parameters"] == sum(p.numel() for p in wiesel.build("simple_cnn", classes=3, channels=1, size=12).parameters())
    json.dumps(facts)


def test_the_test_split_was_looked_at_once(result) -> None:  # type: ignore[no-untyped-def]
    looks = [row for row in RunFolder.open(result.run).history() if row["kind"] == "look"]
    assert [row["split"] for row in looks] == ["test"]
    again = wiesel.evaluate(result.run)
    assert again.to_json()["accuracy"] == result.to_json()["accuracy"]
    assert len([row for row in RunFolder.open(result.run).history() if row["kind"] == "look"]) == 1


def test_a_look_that_was_interrupted_is_the_same_look(result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    run = RunFolder(Path(shutil.copytree(result.run, tmp_path / "run")))
    run.predictions("test").unlink()
    lines = run.events.read_text(encoding="utf-8").splitlines(keepends=True)
    run.events.write_text("".join(line for line in lines if '"look"' not in line), encoding="utf-8")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("wiesel.jobs.evaluate.logits_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            wiesel.evaluate(run.path)
    assert [row["split"] for row in run.history() if row["kind"] == "look"] == ["test"]  # nothing was seen, but it might have been
    wiesel.evaluate(run.path)
    assert [row["split"] for row in run.history() if row["kind"] == "look"] == ["test"]
    evaluate_views(run.path, 2)
    assert len([row for row in run.history() if row["kind"] == "look"]) == 2  # with views it is another


def test_a_single_test_picture_is_measured_and_can_be_measured_again(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "one"
    shutil.copytree(folder, source / "train")
    (source / "test" / "left").mkdir(parents=True)
    (source / "train" / "left" / "000.png").rename(source / "test" / "left" / "000.png")
    done = wiesel.train(data=source, output=tmp_path / "run", **{**SMALL, "epochs": 1})  # type: ignore[arg-type]
    assert done.to_json()["n"] == 1
    assert wiesel.evaluate(done.run).to_json()["accuracy"] == done.to_json()["accuracy"]
    assert assessment_of(RunFolder.open(done.run)) is None  # of one picture nothing can be said


def test_a_subset_leaves_the_test_split_as_it_was(folder: Path) -> None:
    whole = load(DataChoice(source=str(folder)), None)
    divided, _ = images.divide(whole, validation=0.1, test=0.1, seed=0)
    for few in (2, 5):
        some = load(DataChoice(source=str(folder), subset=few), None)
        assert some.test is not None
        assert divided.test is not None
        assert some.test.names.tolist() == divided.test.names.tolist()
        assert len(some.train) == 3 * few
        assert not set(some.train.names) & set(some.test.names)


def test_evaluate_says_that_the_pictures_are_gone_and_mends_its_own_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copytree(folder, tmp_path / "pictures"))
    done = wiesel.train(data=source, output=tmp_path / "run", **{**SMALL, "epochs": 1})  # type: ignore[arg-type]
    before = json.loads((done.run / "evaluation.json").read_text())
    assert run_command(["evaluate", str(done.run)]) == 0
    assert capsys.readouterr().err == ""
    shutil.rmtree(source / "left")
    (done.run / "evaluation.json").write_text("")
    assert run_command(["evaluate", str(done.run)]) == 0
    assert "predictions" in capsys.readouterr().err
    assert json.loads((done.run / "evaluation.json").read_text())["accuracy"] == before["accuracy"]
    assert run_command(["report", str(done.run)]) == 0
    assert "predictions" in capsys.readouterr().err


def test_predict_takes_folders_and_names_what_it_cannot_read(result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    pictures = make_folder(tmp_path / "pictures", count=12)
    (pictures / "left" / "note.txt").write_text("no picture")
    (pictures / ".hidden.png").write_bytes(b"")
    names = [str(path) for path in sorted(pictures.glob("*/*.png"))]
    skipped: list[WieselError] = []
    found = wiesel.predict(result.run, [pictures, tmp_path / "nothing.png"], skipped=skipped.append)
    assert [one.image for one in found] == names
    assert [type(error) for error in skipped] == [Undecodable, NoSuchPicture]
    with pytest.raises(Undecodable, match=r"note\.txt"):
        wiesel.predict(result.run, [pictures])

    assert run_command(["predict", str(result.run), names[0], str(pictures / "left" / "note.txt"), names[1], "--json"]) == 1
    said = capsys.readouterr()
    assert [one["image"] for one in json.loads(said.out)] == names[:2]
    assert said.err.startswith("wiesel: ")
    assert said.err.count("\n") == 1
    assert run_command(["predict", str(result.run), "nothing.png", "--sure", "60"]) in (1, 2)
    assert run_command(["explain", str(result.run), str(pictures)]) == 2
    assert "/*.jpg" in capsys.readouterr().err


def test_evaluate_on_validation_agrees_with_the_best_epoch(result) -> None:  # type: ignore[no-untyped-def]
    rows = [row for row in RunFolder.open(result.run).history() if row["kind"] == "epoch"]
    found = wiesel.evaluate(result.run, split="validation").to_json()
    assert found["accuracy"] == max(row["validation_accuracy"] for row in rows)
    assert found["split"] == "validation"


def test_predict_agrees_with_the_saved_predictions(result, folder: Path) -> None:  # type: ignore[no-untyped-def]
    with np.load(result.run / "predictions" / "test.npz") as saved:
        names, logits = saved["names"], saved["logits"]
    paths = [folder / name.removeprefix("train/") for name in names]
    found = wiesel.predict(result.run, paths)
    assert [p.number for p in found] == logits.argmax(1).tolist()
    first = found[0].to_json()
    assert first.keys() == {"image", "label", "class", "probability", "onehot", "probabilities"}
    assert sum(first["onehot"]) == 1
    assert first["onehot"][first["class"]] == 1
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    spread = np.exp(logits[0] - logits[0].max())
    assert list(first["probabilities"].values()) == pytest.approx((spread / spread.sum()).tolist(), abs=1e-4)


def test_the_recipe_in_the_folder_repeats_the_run(result, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    again = wiesel.train(recipe=result.run / "recipe.toml", output=tmp_path / "again")
    assert (again.run / "weights.safetensors").read_bytes() == (result.run / "weights.safetensors").read_bytes()


def test_a_finished_run_that_is_resumed_says_its_result_again(result) -> None:  # type: ignore[no-untyped-def]
    before = (result.run / "weights.safetensors").read_bytes()
    again = wiesel.train(resume=result.run)
    assert again.to_json()["accuracy"] == result.to_json()["accuracy"]
    assert (result.run / "weights.safetensors").read_bytes() == before


def test_an_output_that_is_taken_is_refused_and_untouched(result) -> None:  # type: ignore[no-untyped-def]
    before = sorted(path.stat().st_mtime_ns for path in result.run.rglob("*"))
    with pytest.raises(FolderTaken):
        wiesel.train(data="fashion-mnist-sample", output=result.run)
    assert sorted(path.stat().st_mtime_ns for path in result.run.rglob("*")) == before


def test_resume_refuses_other_pictures(folder: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "stripes"
    shutil.copytree(folder, pictures)
    run = RunFolder.create(tmp_path / "run")
    first = wiesel.train(data=pictures, output=tmp_path / "other", **{**SMALL, "epochs": 1})  # type: ignore[arg-type]
    for name in ("recipe.toml", "splits.json", "preprocessing.json", "classes.json", "provenance.json"):
        shutil.copy(first.run / name, run.path / name)
    shutil.copy(pictures / "left" / "000.png", pictures / "left" / "new.png")
    with pytest.raises(DataChanged):
        wiesel.train(resume=run.path)


def test_wrong_settings_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownSetting, match="label_smoothing"):
        wiesel.train(label_smothing=0.1, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_the_pictures_is_refused_before_a_folder_is_made(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="stem"):
        wiesel.train(model="lenet5", data=folder, stem="imagenet", output=tmp_path / "run")
    with pytest.raises(BadValue, match="resolutions"):
        wiesel.train(model="lenet5", data=folder, resolutions=((0.5, 12),), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_such_run() -> None:
    with pytest.raises(NotARun):
        wiesel.predict("nowhere", [])


def test_a_killed_run_resumes_bit_identical(folder: Path, tmp_path: Path) -> None:
    """Kill -9 at a few moments of a small run; `benchmarks/kill.py` does it often."""
    flags = [
        "--data",
        folder,
        "--model",
        "simple_cnn",
        "--epochs",
        "12",  # long enough to be met alive, also by a watcher who has to wait for his turn
        "-b",
        "16",
        "--threads",
        "1",
        "--checkpoint-every",
        "2",
        "--precision",
        "fp32",
    ]
    assert command("train", *flags, "-o", tmp_path / "whole", "-q").returncode == 0
    killed = 0
    for moment in (1, 5, 9):
        run = tmp_path / f"killed-{moment}"
        process = subprocess.Popen(
            [sys.executable, "-m", "wiesel", "train", *map(str, flags), "-o", str(run), "-q"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        rows = run / "events.jsonl"
        while process.poll() is None and not (rows.exists() and rows.read_bytes().count(b'"train"') >= moment):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        done = command("train", "--resume", run, "-q")
        assert done.returncode == 0, done.stderr
        assert (run / "weights.safetensors").read_bytes() == (tmp_path / "whole" / "weights.safetensors").read_bytes()
        assert metrics(run) == metrics(tmp_path / "whole")
    assert killed >= 2


def test_a_flipped_bit_in_the_newest_checkpoint_falls_back_and_in_all_of_them_refuses(folder: Path, tmp_path: Path) -> None:
    flags = ["--data", folder, "--model", "simple_cnn", "--epochs", "4", "-b", "16", "--threads", "1", "--precision", "fp32", "-q"]
    assert command("train", *flags, "-o", tmp_path / "whole").returncode == 0
    run = tmp_path / "run"
    shutil.copytree(tmp_path / "whole", run)
    for name in ("MANIFEST.json", "weights.safetensors"):
        (run / name).unlink()
    rows = (run / "events.jsonl").read_text().splitlines()
    (run / "events.jsonl").write_text("\n".join(row for row in rows if '"end"' not in row) + "\n")
    kept = sorted((run / "checkpoints").iterdir())

    def flip(checkpoint: Path, bit: int = 1) -> None:
        data = bytearray((checkpoint / "model.safetensors").read_bytes())
        data[len(data) // 2] ^= bit
        (checkpoint / "model.safetensors").write_bytes(data)

    flip(kept[-1])
    done = command("train", "--resume", run, "-q")
    assert done.returncode == 0, done.stderr
    assert (run / "weights.safetensors").read_bytes() == (tmp_path / "whole" / "weights.safetensors").read_bytes()

    for name in ("MANIFEST.json", "weights.safetensors"):
        (run / name).unlink()
    rows = (run / "events.jsonl").read_text().splitlines()
    (run / "events.jsonl").write_text("\n".join(row for row in rows if '"end"' not in row) + "\n")
    for checkpoint in (run / "checkpoints").iterdir():
        flip(checkpoint, bit=2)  # another one: the first flip done twice would mend the file
    before = (run / "events.jsonl").read_bytes()
    done = command("train", "--resume", run, "-q")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (run / "events.jsonl").read_bytes() == before


def metrics(run: Path) -> list[dict[str, object]]:
    rows = events.effective(RunFolder.open(run).history())
    return [{k: v for k, v in row.items() if k not in ("time", "seconds")} for row in rows if row["kind"] in ("train", "epoch")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_leaves_with_its_code(number: int, code: int, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "wiesel",
            "train",
            "--data",
            str(folder),
            "--model",
            "simple_cnn",
            "--epochs",
            "500",
            "-b",
            "16",
            "-o",
            str(run),
            "-q",
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1", "WIESEL_LANG": "en"},
        stderr=subprocess.PIPE,
        text=True,
    )
    rows = run / "events.jsonl"
    while process.poll() is None and not (rows.exists() and b'"train"' in rows.read_bytes()):
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code
    assert f"wiesel train --resume {run}" in said
    assert "Traceback" not in said
    assert RunFolder.open(run).history()[-1]["kind"] == "stop"
