import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.zoo.alexnet import response_norm


def sizes(name, side):
    with torch.device("meta"), torch.no_grad():
        maps, found = torch.zeros(1, 3, side, side), []
        for stage in zoo.build(name, channels=3, size=side).features:
            maps = stage(maps)
            found.append(maps.shape[-1])
    return found


def test_map_sizes():
    assert sizes("alexnet", 224) == sizes("alexnet2012", 227) == [27, 13, 13, 13, 6]
    assert sizes("alexnet", 63) == sizes("alexnet2012", 67) == [7, 3, 3, 3, 1]


def test_each_layer_of_2012_has_the_parameters_counted_by_hand():
    with torch.device("meta"):
        network = zoo.build("alexnet2012", classes=1000, channels=3)
    counted = [sum(p.numel() for p in layer.parameters()) for layer in network.modules() if not list(layer.children())]
    assert [count for count in counted if count] == [
        96 * (3 * 121 + 1),
        256 * (48 * 25 + 1),
        384 * (256 * 9 + 1),
        384 * (192 * 9 + 1),
        256 * (192 * 9 + 1),
        4096 * (256 * 36 + 1),
        4096 * (4096 + 1),
        1000 * (4096 + 1),
    ]
    assert sum(counted) == 60_965_224


def test_response_norm_is_the_formula_of_section_3_3():
    maps = 20 * torch.randn(1, 9, 2, 2, generator=torch.Generator().manual_seed(0))
    found = response_norm()(maps)
    for i in range(9):
        around = maps[:, max(0, i - 2) : min(8, i + 2) + 1]
        expected = maps[:, i] / (2 + 1e-4 * around.square().sum(1)) ** 0.75
        torch.testing.assert_close(found[:, i], expected)


def test_the_towers_of_2012_meet_in_the_third_convolution_and_in_the_head():
    with torch.device("meta"):
        groups = [layer.groups for layer in zoo.build("alexnet2012").modules() if isinstance(layer, nn.Conv2d)]
    assert groups == [1, 2, 1, 2, 2]


def test_only_the_network_of_2012_normalises_responses_and_does_so_before_it_pools():
    with torch.device("meta"):
        stages = {
            name: [list(dict(stage.named_children())) for stage in zoo.build(name).features] for name in ("alexnet", "alexnet2012")
        }
    assert stages["alexnet2012"][:2] == [["conv", "relu", "norm", "pool"]] * 2
    assert stages["alexnet"][:2] == [["conv", "relu", "pool"]] * 2
    assert stages["alexnet"][2:] == stages["alexnet2012"][2:] == [["conv", "relu"], ["conv", "relu"], ["conv", "relu", "pool"]]


def test_logits_equal_torchvision_s_with_the_same_weights():
    with torch.device("meta"):  # 61 million weights: drawn once, and shared by both
        theirs, ours = torchvision.models.alexnet(), zoo.build("alexnet", classes=1000, channels=3)
    theirs.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for values in theirs.parameters():
        bound = (6 / values[0].numel()) ** 0.5 if values.ndim > 1 else 0.1
        values.data.uniform_(-bound, bound, generator=generator)
    zoo.load_weights(ours, theirs.state_dict())
    pictures = torch.randn(2, 3, 80, 63, generator=generator)
    with torch.no_grad():
        expected, found = theirs(pictures), ours.eval()(pictures)
    assert (expected[0] - expected[1]).abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
