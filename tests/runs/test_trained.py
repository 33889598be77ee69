"""A run folder is a network, ready to use, or an error that says why not."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import safetensors.torch
import torch

from wiesel import zoo
from wiesel.batches.preprocessing import Preprocessing
from wiesel.errors import Damaged, NotARun, NotTrained, UnknownModel, WieselError, WrongWeights
from wiesel.recipe import NetworkOptions, Recipe
from wiesel.runs import RunFolder
from wiesel.runs.checkpoints import save_weights
from wiesel.runs.folder import SEALED
from wiesel.runs.trained import load

CLASSES = ("cat", "dog", "weasel")


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


def finished(path, architecture: str = "resnet20", **options):
    recipe = Recipe(architecture=architecture, network=NetworkOptions(**options))
    torch.manual_seed(3)
    network = zoo.build(architecture, classes=3, channels=1, size=(16, 16), **options)
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 1, 16, 16))  # the running statistics move
    run = RunFolder.create(path)
    run.write_recipe(recipe)
    run.write_classes(CLASSES)
    preprocessing = Preprocessing(channels=1, height=16, width=16, mean=(0.25,), std=(0.5,))
    run.write_preprocessing(preprocessing.to_json())
    run.write_splits({"seed": 0})
    save_weights(run, 1, network.state_dict())
    run.seal()
    return run, network.eval(), preprocessing


def test_the_network_answers_as_it_did_bit_for_bit(tmp_path):
    run, network, preprocessing = finished(tmp_path / "run")
    trained = load(run.path)
    pictures = torch.randn(5, 1, 16, 16)
    with torch.no_grad():
        assert torch.equal(trained.network(pictures), network(pictures))
    assert not trained.network.training
    assert (trained.classes, trained.preprocessing, trained.run) == (CLASSES, preprocessing, run)
    assert trained.recipe.architecture == "resnet20"
    assert torch.equal(load(str(run.path)).network(pictures), load(run).network(pictures))


def test_the_network_options_of_the_recipe_are_used(tmp_path):
    run, network, _ = finished(tmp_path / "run", "resnet18", stem="imagenet")
    assert {n: t.shape for n, t in load(run).network.state_dict().items()} == {n: t.shape for n, t in network.state_dict().items()}


def test_loading_draws_nothing_from_the_global_generator(tmp_path):
    run, _, _ = finished(tmp_path / "run")
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    load(run)
    assert torch.equal(torch.rand(3), expected)


def test_a_run_that_did_not_end_says_how_to_end_it(tmp_path):
    run, _, _ = finished(tmp_path / "run")
    run.manifest.unlink()
    run.record("start", 0)
    with pytest.raises(NotTrained, match=r"state: running/interrupted\)\. `wiesel train --resume"):
        load(run)
    with pytest.raises(NotARun):
        load(tmp_path / "nothing")


def test_every_flipped_bit_of_a_sealed_file_is_named(tmp_path):
    run, _, _ = finished(tmp_path / "run")
    chance = random.Random(5)
    for name in [*SEALED] * 6:
        whole = (run.path / name).read_bytes()
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (run.path / name).write_bytes(data)
        with pytest.raises(Damaged) as caught:
            load(run)
        assert caught.value.names == (name,)
        (run.path / name).write_bytes(whole)
    load(run)


def test_weights_of_another_network_say_where_they_differ(tmp_path):
    run, network, _ = finished(tmp_path / "run")
    state = network.state_dict()
    first = next(iter(state))
    for change, sentence in [
        ({first: None}, "is missing"),
        ({"extra": torch.ones(1)}, "'extra' is not in the network"),
        ({first: torch.zeros(2, 2)}, r"has shape \(2, 2\) instead of"),
        ({first: state[first].double()}, r"is torch\.float64 instead of torch\.float32"),
    ]:
        changed = {name: tensor for name, tensor in {**state, **change}.items() if tensor is not None}
        save_weights(run, 1, changed)
        run.seal()
        with pytest.raises(WrongWeights, match=sentence):
            load(run)
    save_weights(run, 1, state)
    run.write_classes(["a", "b"])
    run.seal()
    with pytest.raises(WrongWeights, match="2 classes"):
        load(run)


def test_names_in_a_recipe_only_choose_from_the_table(tmp_path):
    run, _, _ = finished(tmp_path / "run")
    for name in ("os.system", "torch.nn.Linear", "../../etc/passwd", "__import__('os')"):
        run.recipe.write_text(f'architecture = "{name}"')
        run.seal()
        with pytest.raises(UnknownModel):
            load(run)


def test_any_rubbish_in_place_of_weights_is_an_error_with_a_sentence(tmp_path):
    run, network, _ = finished(tmp_path / "run")
    good = safetensors.torch.save(dict(network.state_dict()))
    chance = random.Random(9)
    for number in range(40):
        if number < 5:
            data = [b"", b"\x80\x04N.", b"\xff" * 64, b"PK\x03\x04" + bytes(40), (2**60).to_bytes(8, "little") + b"{}"][number]
        else:
            flipped = bytearray(good[: chance.choice([len(good), 2000])])
            for _ in range(4):
                flipped[chance.randrange(min(len(flipped), 3000))] ^= 1 << chance.randrange(8)
            data = bytes(flipped)
        run.weights.write_bytes(data)
        run.seal()
        with suppress(WieselError):  # a flip in a number of the network is not rubbish; any other exception fails
            load(run)
