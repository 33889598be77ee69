"""Stages add up to the network, have the sizes of the paper, and say which skips are more than an identity."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from wiesel import zoo
from wiesel.analysis import cost, stages
from wiesel.analysis.stages import skip_of, stage_names


def test_resnet18_at_28_px_is_the_network_of_the_paper_with_a_small_stem() -> None:
    found = stages(zoo.build("resnet18", channels=1, size=28), (1, 28, 28))
    assert [stage.label for stage in found] == ["stem", "stage1", "stage2", "stage3", "stage4", "head"]
    assert [stage.output for stage in found] == [(64, 28, 28), (64, 28, 28), (128, 14, 14), (256, 7, 7), (512, 4, 4), (10,)]
    skips = [block.skip for stage in found for block in stage.blocks]
    assert skips == ["identity", "identity", "projection", "identity", "projection", "identity", "projection", "identity"]
    assert sum(stage.weighted for stage in found) == 18 + 3  # the three projections are not counted in the name


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "plain20", "vgg11_bn", "lenet5"])
def test_stages_sum_to_the_whole_network(name: str) -> None:
    network = zoo.build(name, channels=3, size=32)
    table = cost(network, (3, 32, 32))
    found = stages(network, (3, 32, 32), table)
    assert sum(stage.parameters for stage in found) == table.parameters
    assert sum(stage.macs for stage in found) == table.macs


def test_option_a_and_plain_twins_are_told_apart() -> None:
    def kinds(name: str) -> set[str]:
        return {block.skip for stage in stages(zoo.build(name, channels=3), (3, 32, 32)) for block in stage.blocks}

    assert kinds("resnet20") == {"identity", "free"}
    assert kinds("plain20") == {"none"}


def test_a_foreign_network_is_cut_at_its_top_level_children() -> None:
    torchvision = pytest.importorskip("torchvision")
    found = stages(torchvision.models.resnet18(), (3, 64, 64))
    assert [stage.name for stage in found] == [
        *("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc")
    ]
    assert [block.skip for stage in found for block in stage.blocks].count("projection") == 3


def test_the_books_empty_shortcut_is_an_identity() -> None:
    class Block(nn.Module):
        def __init__(self, shortcut: nn.Module) -> None:
            super().__init__()
            self.shortcut = shortcut

    assert skip_of(Block(nn.Sequential())) == "identity"
    assert skip_of(Block(nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)))) == "projection"
    assert skip_of(nn.Conv2d(1, 1, 1)) is None


def test_wrappers_are_opened_and_a_stage_without_a_tensor_has_no_size() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x + 1

    class Sum(nn.Module):
        def forward(self, pair: tuple[Tensor, Tensor]) -> Tensor:
            return pair[0] + pair[1]

    inner = nn.Sequential(nn.Conv2d(1, 2, 3), Two(), Sum())
    network = nn.Sequential(nn.Sequential(inner))
    assert stage_names(network) == ["0.0.0", "0.0.1", "0.0.2"]
    assert [stage.output for stage in stages(network, (1, 5, 5))] == [(2, 3, 3), (), (2, 3, 3)]
