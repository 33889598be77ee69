"""From the command line to raw maps, a page and a picture; two classes side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reports.example_run import blobs, write_run
from wiesel.cli import run as command
from wiesel.errors import BadValue, NoSuchPicture, UnknownClassName
from wiesel.jobs.explain import explain, write
from wiesel.jobs.predict import predict
from wiesel.reports.explanations import LONGEST_SIDE

CLASSES = ("cat", "<b>dog</b>", "wie$el")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", blobs(CLASSES, side=16), architecture="resnet20").path


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20), dtype=np.uint8)).save(path)
    return path


def test_the_predicted_class_stands_beside_the_runner_up(folder: Path, picture: Path) -> None:
    ranking = sorted(predict(folder, [picture])[0].probabilities.items(), key=lambda entry: -entry[1])
    (one,) = explain(folder, [picture], methods=["gradcam", "occlusion"])
    assert one.roles == (("predicted", ranking[0][0]), ("runner-up", ranking[1][0]))
    assert [pair.method for pair in one.pairs] == ["gradcam", "occlusion"]
    for pair in one.pairs:
        for (_, label), found in zip(one.roles, pair.explanations, strict=True):
            assert CLASSES[found.target] == label
            assert found.probability == pytest.approx(dict(ranking)[label], abs=1e-5)
            assert found.picture.shape == (16, 16)
            assert max(map(abs, found.range)) <= pair.limit
    assert one.pairs[0].explanations[0].layer.startswith("features.")


def test_the_true_class_is_read_from_the_folder_and_may_be_asked_for(folder: Path, picture: Path, tmp_path: Path) -> None:
    predicted = predict(folder, [picture])[0].label
    other = next(name for name in ("cat", "wie$el") if name != predicted)
    (tmp_path / other).mkdir()
    (tmp_path / other / "x.png").write_bytes(picture.read_bytes())
    assert explain(folder, [tmp_path / other / "x.png"])[0].roles[1] == ("true", other)
    assert explain(folder, [picture], target=other)[0].roles[1] == ("asked", other)
    assert explain(folder, [picture], target=str(CLASSES.index(other)))[0].roles[1] == ("asked", other)
    assert explain(folder, [picture], target=predicted)[0].roles[1][0] == "runner-up"
    with pytest.raises(UnknownClassName, match="Nearest: cat"):
        explain(folder, [picture], target="cta")
    with pytest.raises(NoSuchPicture):
        explain(folder, [picture, tmp_path / "none.png"])


def test_the_page_needs_nothing_else_and_says_what_stands_in_it(folder: Path, picture: Path, tmp_path: Path) -> None:
    explained = explain(folder, [picture], methods=["gradcam", "saliency"], target="<b>dog</b>", check=True)
    page = write(explained, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "http:" not in page
    assert "https:" not in page
    assert "<script" not in page
    assert "<b>dog" not in page
    assert "&lt;b&gt;dog" in page
    assert len(page) < 200_000
    assert page.count("<figure>") == 2 * 3
    assert explained[0].pairs[0].explanations[0].interpolation in page
    assert explained[0].pairs[0].explanations[0].layer in page
    assert page.count("<tr>") == 3
    assert max(explained[0].pixels.shape) <= LONGEST_SIDE
    with pytest.raises(BadValue, match="png"):
        write(explained, tmp_path / "page.pdf")


def test_the_picture_is_a_png(folder: Path, picture: Path, tmp_path: Path) -> None:
    with Image.open(write(explain(folder, [picture]), tmp_path / "page.png")) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width > 3 * 200


def test_json_holds_the_raw_maps(
    folder: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    assert command(["explain", str(folder), str(picture), "--method", "hirescam", "--check", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []
    (method,) = facts["methods"]
    first, second = method["classes"]
    assert (first["role"], second["role"], method["method"]) == ("predicted", "runner-up", "hirescam")
    assert np.min(first["map"]) == first["range"][0] < first["range"][1] == np.max(first["map"])
    assert -1 <= method["sanity"]["correlation"] <= 1
    assert 0 <= method["faithfulness"]["deletion"] <= 1


def test_the_command_says_what_it_found_in_german_too(
    folder: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    drawn = tmp_path / "seite.html"
    arguments = ["explain", str(folder), str(picture), "--method", "gradcam", "--method", "integrated_gradients", "-o", str(drawn)]
    assert command(arguments) == 0
    said = capsys.readouterr().out
    assert "vorhergesagt" in said
    assert "Die Beiträge ergeben zusammen" in said
    assert said.splitlines()[-1] == str(drawn)
    assert "Was spricht für diese Klasse?" in drawn.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "gradcm"], "gradcam++"),
        (["--layer", "features.stage1.block1.conv9"], "Nearest: features.stage1.block1.conv"),
        (["--target", "9"], "knows no class '9'"),
        (["--method", "saliency", "--layer", "features.stage1"], "only with a method that looks at a layer: gradcam"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], said: str, folder: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["explain", str(folder), str(picture), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_the_nearest_training_pictures_stand_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wiesel.jobs import explain as room

    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    data = blobs(CLASSES, side=16)
    run = write_run(tmp_path / "run", data, architecture="resnet20")
    monkeypatch.setattr(room, "pictures_of", lambda _run, data_dir: data)
    Image.fromarray(data.train.pixels[7, :, :, 0]).save(tmp_path / "seven.png")
    for _ in range(2):  # the second time from the cache
        (one,) = explain(run.path, [tmp_path / "seven.png"], neighbours=3)
        assert len(one.neighbours) == 3
        assert one.neighbours[0].name == "train/7"
        assert one.neighbours[0].label == CLASSES[data.train.labels[7]]
        assert one.neighbours[0].likeness == pytest.approx(1, abs=2e-3)
    assert one.to_json()["neighbours"][0]["name"] == "train/7"
    page = write([one], tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 3 + 3
    assert "train/7" in page
    itself = tmp_path / "train" / "7"
    itself.parent.mkdir()
    (tmp_path / "seven.png").rename(itself)
    (own,) = explain(run.path, [itself], neighbours=2)
    assert [near.name for near in own.neighbours] == [near.name for near in one.neighbours[1:]]  # it is not its own neighbour
    with pytest.raises(BadValue):
        explain(run.path, [itself], neighbours=-1)
