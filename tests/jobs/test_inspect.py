"""`inspect` on networks by name, on foreign modules, on a recipe, on files; and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from wiesel import cli, zoo
from wiesel.errors import AmbiguousLayer, BadValue, DamagedWeights, LayerNotFound, NoForwardPass, NoSuchWeights, UnknownModel
from wiesel.jobs.inspect import draw, inspect, parse_image, weights


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


def test_the_small_stem_sees_more_than_28_pixels_from_the_third_stage_on() -> None:
    found = inspect("resnet18", image=(1, 28, 28), classes=10)
    ends = {entry.name: found.field(entry) for entry in found.entries if entry.type == "ReLU"}
    last = ["stem.activation", *(f"stage{n}.block2.relu2" for n in (1, 2, 3, 4))]
    assert [ends[f"features.{name}"].size for name in last] == [(n, n) for n in (3, 11, 25, 53, 109)]  # type: ignore[union-attr]
    assert found.exceeds is not None
    assert found.exceeds.name == "features.stage3.block1.conv1"  # 29 pixels


def test_json_holds_the_promised_keys() -> None:
    facts = json.loads(json.dumps(inspect("resnet18").to_json()))
    assert facts["totals"] == {
        "parameters": 11_689_512,
        "trainable": 11_689_512,
        "macs": 1_814_073_344,
        "flops": 3_628_146_688,
        "bytes": facts["totals"]["bytes"],
    }
    last = next(layer for layer in reversed(facts["layers"]) if layer["name"] == "features.stage4.block2.conv2")
    assert last["output"] == [512, 7, 7]
    assert (last["receptive_field"]["size"], last["receptive_field"]["stride"], last["receptive_field"]["status"]) == (
        435,
        32,
        "EXACT",
    )
    assert sum(layer["parameters"] for layer in facts["layers"]) == facts["totals"]["parameters"]
    assert facts["failure"] is None


class Broken(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.linear = nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.conv(x).flatten(1))  # type: ignore[no-any-return]


def test_a_network_that_fails_shows_what_came_before_and_both_shapes() -> None:
    found = inspect(Broken(), image=(3, 5, 5))
    assert found.entries[0].output == (8, 3, 3)
    failure = found.to_json()["failure"]
    assert (failure["operation"], failure["module"]) == ("linear", "linear")
    assert failure["shapes"][:2] == [[1, 72], [2, 7]]


def test_a_failure_is_a_table_and_no_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('architecture = "vgg11"\n')
    assert cli.run(["inspect", str(tmp_path / "recipe.toml")]) == 0
    assert "132,863,336" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1x28x28", (1, 28, 28)), ("28", (1, 28, 28)), ("3x32", (3, 32, 32)), ("3X20×40", (3, 20, 40))],
)
def test_pictures_are_written_as_channels_height_width(text: str, expected: tuple[int, int, int]) -> None:
    assert parse_image(text) == expected


@pytest.mark.parametrize("text", ["", "0x28x28", "1x-2x3", "axb", "1x2x3x4", "1.5x3", "28x28"])
def test_another_size_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="3x224x224"):
        parse_image(text)


def test_a_layer_is_explained_by_any_unambiguous_end_of_its_name() -> None:
    found = inspect("resnet20")
    assert found.explain("stage1.block1.conv1")[3].result == 16 * 9 * 16
    assert found.explain("features.stage1.block1")[-1].result == 2 * (16 * 9 * 16 + 32)
    with pytest.raises(AmbiguousLayer, match=r"features\.stage1\.block1\.conv1"):
        found.explain("conv1")
    with pytest.raises(LayerNotFound, match="conv1"):
        found.explain("features.stage1.block1.conv7")


def test_the_commands_of_the_chapter(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["inspect", "--table", "parameters"]) == 0
    text = capsys.readouterr().out
    assert all(f"= {number}\n" in text for number in ("320", "1,792", "74,112"))
    assert "576 x 64 + 64 = 36,928" in text
    assert cli.run(["inspect", "simple_cnn", "--explain", "stage1.conv"]) == 0
    assert "parameters = weights x outputs + one bias each = 9 x 32 + 32 = 320" in capsys.readouterr().out


def test_a_file_of_weights_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some.safetensors"
    save_file({"conv.weight": torch.zeros(2, 1, 3, 3), "conv.bias": torch.zeros(2)}, path)
    assert sorted(weights(path)) == [("conv.bias", (2,), "F32", 2), ("conv.weight", (2, 1, 3, 3), "F32", 18)]
    assert cli.run(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["numbers"] == 20


def test_what_is_no_network_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(DamagedWeights):
        weights(tmp_path / "bad.safetensors")
    with pytest.raises(NoSuchWeights):
        weights(tmp_path / "none.safetensors")
    with pytest.raises(NoForwardPass):
        inspect(tmp_path / "network.onnx")
    with pytest.raises(UnknownModel, match="resnet18"):
        inspect("resnet81")
    for arguments in (["inspect"], ["inspect", "resnet81"], ["inspect", "resnet18", "--input", "0"]):
        assert cli.run(arguments) == 2
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("detail", ["blocks", "operations", "autograd"])
@pytest.mark.parametrize(("format", "begins"), [("svg", "<svg"), ("dot", "digraph"), ("mermaid", "flowchart TD")])
def test_graphs_are_written_whole(detail: str, format: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / "graph"
    draw(inspect("resnet20"), path, format=format, detail=detail)  # type: ignore[arg-type]
    assert begins in path.read_text()[:400]


# fmt: off
TIMM = [
    "vit_tiny_patch16_224", "deit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "mixer_b16_224", "coatnet_nano_rw_224", "efficientformer_l1",
    "mobilevit_s", "convnext_atto", "maxvit_tiny_tf_224", "resnetv2_50", "regnetx_002", "dm_nfnet_f0",
    "halonet26t", "botnet26t_256", "lambda_resnet26t", "xcit_nano_12_p16_224", "poolformer_s12",
    "ghostnet_100", "levit_128s", "edgenext_xx_small",
]
# fmt: on


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(row.name for row in zoo.models()), *(f"timm:{name}" for name in TIMM)])
def test_every_network_ends_with_a_table(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["inspect", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 8
    parameters = next(line for line in lines if line.startswith("parameters  "))
    assert parameters.split()[1] == f"{sum(p.numel() for p in inspect(name).network.parameters()):,}"
