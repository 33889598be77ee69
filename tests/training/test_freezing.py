"""What is frozen stays, to the last bit, norms and all; what learns does so at its stage's rate; and an interruption changes nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
from typing import Any

import pytest
import torch

from tests.training.conftest import MACHINE, recipe
from wiesel import zoo
from wiesel.batches import Preprocessing
from wiesel.errors import BadValue, LayerNotFound
from wiesel.images import DataSet
from wiesel.recipe import Recipe, Transfer
from wiesel.runs import checkpoints
from wiesel.training.fit import fit, fresh_network
from wiesel.training.freezing import Freezing, stages_of
from wiesel.training.optimiser import optimiser_for
from wiesel.training.progress import Silent


def tuning(epochs: int = 1, architecture: str = "hierarchical_cnn", **transfer: Any) -> Recipe:
    plain = recipe(epochs=epochs)
    return dataclasses.replace(
        plain, architecture=architecture, transfer=Transfer(pretrained="imagenet", mode="finetune", **transfer)
    )


def weights_after(decisions: Recipe, data: DataSet, preprocessing: Preprocessing, run: Any) -> dict[str, torch.Tensor]:
    fit(decisions, data, preprocessing, run, MACHINE)
    newest = checkpoints.newest(run)
    assert newest is not None
    return newest.model()


@pytest.mark.parametrize("freeze", [2, "until:stage2"])
def test_frozen_stages_keep_weights_and_statistics(
    freeze: int | str, data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    decisions = tuning(freeze=freeze, norm_statistics="learn")
    before = fresh_network(decisions, classes=4, image=preprocessing.image).state_dict()
    after = weights_after(decisions, data, preprocessing, new_run("r", decisions, data))
    for name, tensor in before.items():
        same = torch.equal(tensor, after[name])
        assert same == name.startswith(("features.stage1", "features.stage2")), name


def test_the_running_statistics_of_what_learns_move(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    decisions = tuning(norm_statistics="learn")
    before = fresh_network(decisions, classes=4, image=preprocessing.image).state_dict()
    after = weights_after(decisions, data, preprocessing, new_run("r", decisions, data))
    assert not any(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_statistics_are_kept_where_the_stages_learn_unless_somebody_wants_new_ones(
    data: DataSet, preprocessing: Preprocessing, new_run: Any
) -> None:
    decisions = tuning()
    before = fresh_network(decisions, classes=4, image=preprocessing.image).state_dict()
    after = weights_after(decisions, data, preprocessing, new_run("r", decisions, data))
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]) == ("running_" in name or "num_batches" in name), name


@pytest.mark.parametrize("unfreeze", [0, 1])
def test_what_a_network_fixes_by_design_never_learns(unfreeze: int) -> None:
    network = zoo.build("wiesel_s", classes=4, channels=1, size=20)
    fixed = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert len(fixed) == 7  # the whitening filters and the scales of six norms
    freezing = Freezing(network, Transfer(pretrained="imagenet", mode="finetune", unfreeze=unfreeze))
    for epoch in (0, 2, 9):
        freezing.begin(epoch)
        assert fixed <= {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert fixed == {name for name, parameter in network.named_parameters() if not parameter.requires_grad}


def test_gradual_unfreezing_lets_one_more_stage_learn_from_the_head_on() -> None:
    network = zoo.build("hierarchical_cnn", classes=4, channels=1, size=12)
    freezing = Freezing(network, Transfer(mode="finetune", unfreeze=2, freeze=1, norm_statistics="learn"))
    learning = []
    for epoch in range(7):
        network.train()
        freezing.begin(epoch)
        norms = [network.get_submodule(f"features.stage{n}.norm").training for n in (1, 2, 3)]
        weights = [network.get_submodule(f"features.stage{n}.conv").weight.requires_grad for n in (1, 2, 3)]
        assert norms == weights
        assert network.head.linear.weight.requires_grad
        learning.append(sum(weights))
    assert learning == [0, 0, 1, 1, 2, 2, 2]  # stage1 stays frozen


def test_rates_fall_from_the_head_to_the_picture() -> None:
    network = zoo.build("hierarchical_cnn", classes=4, channels=1, size=12)
    decisions = tuning(layer_decay=0.5)
    freezing = Freezing(network, decisions.transfer)
    optimiser = freezing.slow(optimiser_for(network, decisions.training))
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {names[id(p)]: group["relative"] for group in optimiser.param_groups for p in group["params"]}
    assert found.keys() == set(names.values())
    expected = {"head": 1, "features.stage3": 0.5, "features.stage2": 0.25, "features.stage1": 0.125}
    assert all(relative == next(r for start, r in expected.items() if name.startswith(start)) for name, relative in found.items())
    decays = {names[id(p)]: group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decays["features.stage1.norm.weight"] == 0
    assert decays["features.stage1.conv.weight"] > 0


def test_more_stages_than_there_are_and_an_unknown_layer_are_refused() -> None:
    network = zoo.build("simple_cnn", classes=4, channels=1, size=12)
    with pytest.raises(BadValue, match=r"at most 2: features.stage1, features.stage2"):
        Freezing(network, Transfer(freeze=3))
    with pytest.raises(LayerNotFound, match="stage9"):
        Freezing(network, Transfer(freeze="until:features.stage9"))


def test_stages_of_other_libraries_networks() -> None:
    torchvision = pytest.importorskip("torchvision")
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        resnet = torchvision.models.resnet18()
        mobilenet = torchvision.models.mobilenet_v3_small()
        efficientnet = timm.create_model("tf_efficientnet_lite0")
    assert stages_of(resnet) == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    assert stages_of(mobilenet)[0] == "features.0"
    assert stages_of(mobilenet)[-1] == "features.12"
    assert stages_of(efficientnet) == ["conv_stem", "bn1", *(f"blocks.{n}" for n in range(7)), "conv_head", "bn2"]


class SignalAt(Silent):
    def __init__(self, step: int) -> None:
        self.at = step

    def step(self, step: int) -> None:
        if step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_fine_tuning_ends_bit_identical(data: DataSet, preprocessing: Preprocessing, new_run: Any) -> None:
    plain = tuning(epochs=3, unfreeze=1, freeze=1, layer_decay=0.7)
    decisions = dataclasses.replace(plain, training=dataclasses.replace(plain.training, optimiser="adamw", rate=0.01, batch=32))
    start = fresh_network(dataclasses.replace(decisions, seed=9), classes=4, image=preprocessing.image).state_dict()
    whole, broken = new_run("whole", decisions, data), new_run("broken", decisions, data)
    fit(decisions, data, preprocessing, whole, MACHINE, start=start)
    fit(decisions, data, preprocessing, broken, MACHINE, start=start, progress=SignalAt(3))
    fit(decisions, data, preprocessing, broken, MACHINE, resume=checkpoints.resume(broken), progress=SignalAt(7))
    outcome = fit(decisions, data, preprocessing, broken, MACHINE, resume=checkpoints.resume(broken))
    assert outcome.finished
    first, second = checkpoints.newest(whole), checkpoints.newest(broken)
    assert first is not None
    assert second is not None
    ours, theirs = first.model(), second.model()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert torch.equal(ours["features.stage1.conv.weight"], start["features.stage1.conv.weight"])
