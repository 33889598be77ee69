import subprocess
import sys

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.analysis.stages import stages
from wiesel.errors import BadValue, CannotBuild, UnknownModel
from wiesel.zoo import foreign

pytest.importorskip("timm", reason="timm is in the extra `dev`")


def meta(name, **options):
    with torch.device("meta"):
        return zoo.build(name, **options)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "timm:resent10t",
            r"^Unknown model 'timm:resent10t'\. Nearest: timm:resnet10t, .*`wiesel models timm:` lists all \d{3,}\.$",
        ),
        ("torchvision:resnet81", r"Nearest: torchvision:resnet18, .*`wiesel models torchvision:` lists all \d\d\.$"),
        ("torchvision:deeplabv3_resnet50", r"^Unknown model 'torchvision:deeplabv3_resnet50'"),
        ("tim:resnet18", r"Nearest: timm:resnet18\. `wiesel models`"),
        ("torchvison:resnet18", r"Nearest: torchvision:resnet18\."),
        ("keras:resnet18", r"^Unknown model 'keras:resnet18'\. Nearest: resnet18"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_names(name, sentence, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    for ask in (zoo.find, zoo.build):
        with pytest.raises(UnknownModel, match=sentence):
            ask(name)


def test_a_row_says_what_is_known_without_building():
    row = zoo.find("timm:resnet10t")
    assert (row.name, row.family, row.input, row.parameters, row.macs) == ("timm:resnet10t", "timm", (3, 176, 176), None, None)
    assert zoo.find("torchvision:efficientnet_b1").input == (3, 240, 240)
    assert zoo.find("timm:resnet18:activation=gelu").name == "timm:resnet18"


def test_a_pattern_with_a_library_lists_its_networks():
    assert [row.name for row in zoo.models("torchvision:vgg1?")] == [f"torchvision:vgg{n}" for n in (11, 13, 16, 19)]
    assert "timm:resnet10t" in [row.name for row in zoo.models("timm:resnet1")]


def test_neither_library_is_loaded_for_our_own_networks():
    program = (
        "import sys; from wiesel import zoo; zoo.models(); zoo.find('resnet18'); zoo.published(); "
        "print([m for m in ('torch', 'timm', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["timm:resnet10t", "torchvision:mobilenet_v3_small", "torchvision:googlenet", "torchvision:regnet_y_400mf"]
)
@pytest.mark.parametrize(("channels", "size"), [(1, 32), (3, (48, 32)), (5, 64)])
def test_channels_classes_and_size_are_free(name, channels, size):
    network = meta(name, classes=7, channels=channels, size=size)
    height, width = size if isinstance(size, tuple) else (size, size)
    with torch.device("meta"), torch.no_grad():
        assert network.training
        assert network(torch.zeros(2, channels, height, width)).shape == (2, 7)
    assert {p.device.type for p in network.parameters()} == {"meta"}


@pytest.mark.parametrize(
    ("name", "size"), [("timm:vit_tiny_patch16_224", 32), ("torchvision:vit_b_16", 64), ("torchvision:swin_t", 40)]
)
def test_attention_is_built_for_the_size(name, size):
    with torch.device("meta"), torch.no_grad():
        assert zoo.build(name, classes=3, channels=1, size=size).eval()(torch.zeros(1, 1, size, size)).shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "torchvision:alexnet",
            {"size": 28},
            r"does not work on pictures of 1 x 28 x 28 \(.*too small\).*made for 3 x 224 x 224: choose another size",
        ),
        ("timm:inception_v4", {"size": 32}, r"1 x 32 x 32 \(.*Kernel size.*made for 3 x 299 x 299"),
        ("torchvision:vit_b_16", {"size": 50}, r"1 x 50 x 50"),
        ("torchvision:maxvit_t", {"size": 64}, r"not divisible"),
    ],
)
def test_a_size_that_a_network_does_not_take_is_refused_in_a_sentence(name, options, sentence, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(CannotBuild, match=sentence):
        meta(name, **options)


def test_our_own_settings_are_refused(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match=r"timm:resnet10t has only one stem: auto"):
        zoo.build("timm:resnet10t", stem="small")
    with pytest.raises(BadValue, match="classes = 1"):
        zoo.build("timm:resnet10t", classes=1)


def test_the_same_seed_gives_the_same_weights():
    for name in ("timm:resnet10t", "torchvision:squeezenet1_1"):
        torch.manual_seed(5)
        first = zoo.build(name, size=64)
        torch.manual_seed(5)
        second = zoo.build(name, size=64)
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_folded_filters_answer_a_grey_picture_as_before(channels):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 3, 1), nn.Conv2d(3, 2, 1))
    grey = torch.randn(2, 1, 6, 6)
    with torch.no_grad():
        expected = network(grey.expand(-1, 3, -1, -1))
        foreign.take_channels(network, channels)
        found = network(grey.expand(-1, channels, -1, -1))
    # With 2 or 4 channels not every colour's filter counts alike.
    if channels % 3 == 0 or channels == 1:
        torch.testing.assert_close(found, expected)
    assert found.shape == expected.shape
    assert network[0].in_channels == channels
    assert network[2].in_channels == 3


@pytest.mark.parametrize("name", ["timm:resnet10t", "torchvision:mobilenet_v3_small"])
def test_the_view_from_afar_works(name):
    network = meta(name, classes=3, channels=1, size=32)
    assert len(stages(network, (1, 32, 32))) > 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["timm:resnet10t", "torchvision:mobilenet_v3_small"])
def test_training_evaluation_prediction_and_report_work(name, tmp_path):
    from tests.jobs.test_train import make_folder
    from wiesel.jobs.evaluate import evaluate
    from wiesel.jobs.predict import predict
    from wiesel.jobs.train import train
    from wiesel.runs import trained

    folder = make_folder(tmp_path / "stripes", 24)
    result = train(name, folder, epochs=1, threads=1, precision="fp32", output=tmp_path / "run")
    assert result.report.is_file()
    assert trained.load(tmp_path / "run").recipe.architecture == name
    assert evaluate(tmp_path / "run").evaluation.accuracy.value == result.evaluation.accuracy.value
    picture = next(folder.rglob("*.png"))
    assert predict(tmp_path / "run", [picture])[0].label in ("left", "right", "middle")
