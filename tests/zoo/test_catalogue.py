import dataclasses
import subprocess
import sys
from importlib import import_module

import msgspec
import pytest

from wiesel import zoo
from wiesel.errors import UnknownModel
from wiesel.zoo.catalogue import ARCHITECTURES, find, models


def test_listing_and_searching_load_no_torch():
    program = (
        "import sys, wiesel.zoo as zoo, wiesel.errors\n"
        "assert zoo.models('resnet*')\n"
        "try: zoo.build('resnet')\n"
        "except wiesel.errors.UnknownModel: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_names_are_unique_and_every_builder_is_there():
    names = [row.name for row in ARCHITECTURES]
    assert len(set(names)) == len(names)
    for row in ARCHITECTURES:
        module, function = row.builder.split(":")
        assert function == row.name
        assert callable(getattr(import_module(module), function))


def test_an_accuracy_never_stands_without_its_source():
    assert [row.name for row in ARCHITECTURES if (row.accuracy is None) != (row.source == "")] == []
    assert all(50 < row.accuracy < 100 for row in ARCHITECTURES if row.accuracy is not None)


def test_a_row_becomes_json():
    row = msgspec.json.decode(msgspec.json.encode(find("resnet18")))
    assert (row["input"], row["parameters"], row["year"]) == ([3, 224, 224], 11_689_512, 2015)
    assert set(row) == {field.name for field in dataclasses.fields(zoo.Architecture)}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("vgg1?", ["vgg11", "vgg13", "vgg16", "vgg19"]),
        ("VGG11*", ["vgg11", "vgg11_bn"]),
        ("net3", ["resnet34", "resnet32"]),
        ("*[25]0", ["resnet50", "plain50", "resnet20", "plain20"]),
        ("alexander", []),
    ],
)
def test_a_pattern_is_a_glob_or_a_part_of_the_name(pattern, names):
    assert [row.name for row in models(pattern)] == names


def test_no_pattern_means_all_rows():
    assert models() == models("") == list(ARCHITECTURES)


def test_an_unknown_name_is_answered_with_the_nearest_ones(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(UnknownModel, match=r"^Unknown model 'ResNet19'\. Nearest: resnet1.*`wiesel models` lists all \d+\.$"):
        find("ResNet19")
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(UnknownModel, match=r"^Unbekanntes Modell 'ResNet19'\. Am nächsten: resnet1"):
        zoo.build("ResNet19")
