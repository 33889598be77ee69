import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.zoo.resnet import BasicBlock, Bottleneck, no_shortcut, projection


def count(name, **options):
    with torch.device("meta"):
        return sum(p.numel() for p in zoo.build(name, **options).parameters())


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_logits_equal_torchvision_s_with_the_same_weights(name):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)().eval()
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(layer.weight, 0.6, 0.1)
            nn.init.normal_(layer.bias, 0, 0.1)
    with torch.device("meta"):
        ours = zoo.build(name, classes=1000, channels=3)
    zoo.load_weights(ours, theirs.state_dict())
    pictures = torch.randn(2, 3, 75, 64)
    with torch.no_grad():
        expected, found = theirs(pictures), ours.eval()(pictures)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("side", "stem", "sizes"),
    [
        (28, "small", [28, 28, 14, 7, 4]),
        (28, "imagenet", [14, 7, 7, 4, 2, 1]),
        (32, "small", [32, 32, 16, 8, 4]),
        (224, "imagenet", [112, 56, 56, 28, 14, 7]),
    ],
)
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_map_sizes(name, side, stem, sizes):
    found = []
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(name, size=side, stem=stem)
        watched = [network.features.stem.conv, getattr(network.features.stem, "pool", None), *list(network.features)[1:]]
        for layer in watched:
            if layer is not None:
                layer.register_forward_hook(lambda _l, _i, output: found.append(output.shape[-1]))
        network(torch.zeros(2, 1, side, side))
    assert found == sizes


def test_auto_means_the_small_stem_below_64_pixels():
    for size, stem in ((28, "small"), (63, "small"), ((64, 63), "small"), (64, "imagenet"), (224, "imagenet")):
        assert count("resnet18", size=size) == count("resnet18", size=size, stem=stem)
    assert count("resnet18", stem="small") != count("resnet18", stem="imagenet")


# Counted elsewhere by layer formulas, for 10 classes: channels, stem, parameters.
@pytest.mark.parametrize(
    ("name", "channels", "stem", "parameters"),
    [
        ("resnet18", 1, "imagenet", 11_175_370),
        ("resnet18", 1, "small", 11_172_810),
        ("resnet18", 3, "small", 11_173_962),
        ("resnet34", 3, "small", 21_282_122),
        ("resnet50", 3, "small", 23_520_842),
    ],
)
def test_parameter_counts_for_small_pictures(name, channels, stem, parameters):
    assert count(name, channels=channels, stem=stem, size=32) == parameters


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_a_plain_twin_lacks_the_projections_and_nothing_else(depth):
    with torch.device("meta"):
        residual, plain = zoo.build(f"resnet{depth}"), zoo.build(f"plain{depth}")
    expected = {name: p.shape for name, p in residual.named_parameters() if ".shortcut." not in name}
    assert {name: p.shape for name, p in plain.named_parameters()} == expected
    # Basic blocks project into stages 2 to 4, bottlenecks also into stage 1.
    projections = {name.split(".shortcut.")[0] for name, _ in residual.named_parameters() if ".shortcut." in name}
    assert projections == {f"features.stage{n}.block1" for n in ((2, 3, 4) if depth < 50 else (1, 2, 3, 4))}


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_the_depth_counts_convolutions_on_the_main_path_and_the_linear_layer(depth):
    with torch.device("meta"):
        modules = list(zoo.build(f"plain{depth}").modules())
    assert sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in modules) == depth


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_is_the_relu_of_shortcut_plus_correction(block, stride):
    torch.manual_seed(0)
    layer, x = block(8, 8, stride, projection), torch.randn(3, 8, 7, 6)
    given = []
    layer.last_norm.register_forward_hook(lambda _l, _i, output: given.append(output))
    y = layer(x)
    torch.testing.assert_close(y, (layer.shortcut(x) + given[0]).relu())
    assert y.shape == (3, 8 * block.expansion, -(-7 // stride), -(-6 // stride))


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_without_a_shortcut_a_block_is_the_relu_of_its_correction(block):
    torch.manual_seed(0)
    layer, x = block(8, 8, 1, no_shortcut), torch.randn(3, 8, 5, 5)
    norm = layer.norm2 if block is BasicBlock else layer.norm3
    given = []
    norm.register_forward_hook(lambda _l, _i, output: given.append(output))
    torch.testing.assert_close(layer(x), given[0].relu())
    assert layer.last_norm is None


def test_a_bottleneck_strides_in_its_3x3():
    block = Bottleneck(256, 128, 2, projection)
    assert [block.conv1.stride, block.conv2.stride, block.conv3.stride] == [(1, 1), (2, 2), (1, 1)]


def test_blocks_start_as_the_identity_if_asked():
    torch.manual_seed(0)
    block = zoo.build("resnet18", size=28).features.stage1.block2
    x = torch.randn(2, 64, 7, 7).relu()
    torch.testing.assert_close(block(x), x)
