"""What every row of the catalogue promises, asked of every row. Deep networks are built on the meta device: shapes, no numbers."""

from functools import cache

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from wiesel import zoo
from wiesel.errors import PictureTooSmall

ROWS = zoo.models()
# These repeat the blocks of a smaller row more often: numbers would cost time and run no other line of code.
DEEPER = {f"vgg{n}{norm}" for n in (13, 16, 19) for norm in ("", "_bn")} | {
    f"{kind}{n}" for kind in ("resnet", "plain") for n in (32, 34, 44, 56, 101, 110, 152)
}
DEEPER |= {f"efficientnet_{member}" for member in ("b1", "b2", "b3", "b4", "b5", "b6", "b7", "l2")}
DEEPER |= {"mobilenet_v3_large", "densenet169", "wide_resnet50_2", "wrn_28_10", "wrn_40_4", "squeezenet1_1", "regnet_y_800mf"}
DEEPER |= {"convnext_small", "convnext_base", "efficientnet_lite1", "efficientnet_lite2"}
DEEPER |= {"googlenet_5x5"}
# Slow to build; test_network.py and test_inception4.py ask them for sizes, gradients and numbers.
DEEPER |= {"inception_v4", "inception_resnet_v2"}
# These are large: the test of their own file compares their numbers with another library's, once.
LARGE = {"xception", "densenet121", "resnext50_32x4d", "efficientnetv2_s", "nfnet_f0"}


def each(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


every = each(ROWS)
every_shape = each([row for row in ROWS if row.name not in DEEPER])
every_kind = each([row for row in ROWS if row.name not in DEEPER | LARGE])

# torchvision 0.29.1, `_ops` of the weights IMAGENET1K_V1: multiply-adds of convolutions and linear layers at 224 px, in 10^9.
TORCHVISION_GMACS = {
    "alexnet": 0.714,
    "googlenet": 1.498,
    "inception_v3": 5.713,
    "vgg11": 7.609,
    "vgg13": 11.308,
    "vgg16": 15.470,
    "vgg19": 19.632,
    "vgg11_bn": 7.609,
    "vgg13_bn": 11.308,
    "vgg16_bn": 15.470,
    "vgg19_bn": 19.632,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet50": 4.089,
    "resnet101": 7.801,
    "resnet152": 11.514,
    # EfficientNets at the size of their row; torchvision has B2 at 288 px.
    "efficientnet_b0": 0.386,
    "efficientnet_b1": 0.687,
    "efficientnet_b3": 1.827,
    "efficientnet_b4": 4.394,
    "efficientnet_b5": 10.266,
    "efficientnet_b6": 19.068,
    "efficientnet_b7": 37.746,
    "mobilenet_v2": 0.301,
    "mobilenet_v3_large": 0.217,
    "mobilenet_v3_small": 0.057,
    "densenet121": 2.834,
    "densenet169": 3.360,
    "wide_resnet50_2": 11.398,
    "resnext50_32x4d": 4.230,
    "squeezenet1_0": 0.819,
    "squeezenet1_1": 0.349,
    "regnet_y_400mf": 0.402,
    "regnet_y_800mf": 0.834,
    "efficientnetv2_s": 8.366,
    "convnext_tiny": 4.456,
    "convnext_small": 8.684,
    "convnext_base": 15.355,
}
# timm at commit aa4b585, results/benchmark-infer-amp-nchw-pt291-cu128-4090.csv: what only it has.
TIMM_GMACS = {"nfnet_f0": 12.62, "inception_v4": 12.28, "inception_resnet_v2": 13.18, "xception": 8.4}
# Networks without a variant for small pictures, and the side from which they work, in px. The others must take 8 px.
FROM_SIDE = {
    "wiesel_s": 9,
    "wiesel_m": 9,
    "wiesel_l": 9,
    "alexnet": 63,
    "alexnet2012": 67,
    "inception_v3": 75,
    "inception_v4": 75,
    "inception_resnet_v2": 75,
}
# Depths of He et al. 2015, table 6: parameters in millions, as printed there.
HE_MILLIONS = {"resnet20": 0.27, "resnet32": 0.46, "resnet44": 0.66, "resnet56": 0.85, "resnet110": 1.7}


def side(row):
    """28 px, or what the network needs."""
    return max(28, FROM_SIDE.get(row.name, 1))


@cache
def built(row):
    """The network for 28 px, 3 channels, 7 classes, in eval mode and not yet trained. Tests that change it work on their own."""
    torch.manual_seed(7)
    network = zoo.build(row.name, classes=7, channels=3, size=side(row), zero_init_last_norm=False).eval()
    # Fresh norms are the identity in eval mode, which would let them hide; give them something to do.
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return network


@cache
def pictures(number, row):
    return torch.randn(number, 3, side(row), side(row), generator=torch.Generator().manual_seed(5))


@every
def test_parameter_count_is_the_published_one_and_multiply_adds_are_the_table_s(row):
    with torch.device("meta"):
        network = zoo.build(row.name, row.classes, row.input[0]).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            logits = network(torch.zeros(1, *row.input))
    assert logits.shape == (1, row.classes)
    assert sum(p.numel() for p in network.parameters()) == row.parameters
    assert counter.get_total_flops() == 2 * row.macs
    if row.name in TORCHVISION_GMACS:
        assert row.macs / 1e9 == pytest.approx(TORCHVISION_GMACS[row.name], rel=0.005, abs=0.0005)
    if row.name in TIMM_GMACS:
        assert row.macs / 1e9 == pytest.approx(TIMM_GMACS[row.name], rel=0.02)
    if row.name in HE_MILLIONS:
        assert float(f"{row.parameters / 1e6:.2g}") == HE_MILLIONS[row.name]


@every_shape
@pytest.mark.parametrize(("channels", "classes", "size"), [(1, 10, 28), (3, 2, 32), (4, 7, (48, 28)), (1, 7, 64), (1, 2, 8)])
def test_any_channels_classes_and_sizes_work(row, channels, classes, size):
    height, width = size if isinstance(size, tuple) else (size, size)
    smallest = FROM_SIDE.get(row.name, 1)
    with torch.device("meta"), torch.no_grad():
        if min(height, width) < smallest:
            with pytest.raises(PictureTooSmall) as caught:
                zoo.build(row.name, classes, channels, size)
            assert (caught.value.needed_height, caught.value.needed_width) == (smallest, smallest)
            height, width = max(height, smallest), max(width, smallest)
        network = zoo.build(row.name, classes, channels, (height, width)).eval()
        assert network(torch.zeros(2, channels, height, width)).shape == (2, classes)


@every
def test_features_are_named_stages_and_the_head_ends_in_logits(row):
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(row.name, size=side(row)).eval()
        assert network(torch.zeros(2, 1, side(row), side(row))).shape == (2, 10)
    stages = [name for name, _ in network.features.named_children()]
    assert stages == [name for name in ("stem",) if name in stages] + [
        f"stage{n + 1}" for n in range(len(stages) - ("stem" in stages))
    ]
    assert [name for name, _ in network.named_children()] == ["features", "head"]
    last = [layer for layer in network.head.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))][-1]
    assert last.weight.shape[0] == 10
    sequences = [m for m in network.modules() if isinstance(m, nn.Sequential)]
    assert not [name for sequence in sequences for name, _ in sequence.named_children() if name.isdigit()]


@every_kind
def test_every_parameter_gets_a_gradient_and_no_filter_s_is_zero(row):
    torch.manual_seed(3)
    network = zoo.build(row.name, classes=7, channels=3, size=side(row), zero_init_last_norm=False)
    network(pictures(3, row)).square().mean().backward()
    learning = {name: p for name, p in network.named_parameters() if p.requires_grad}
    assert [name for name, p in learning.items() if p.grad is None] == []
    assert [name for name, p in learning.items() if p.ndim > 1 and not p.grad.abs().max() > 0] == []


@each([row for row in ROWS if row.name in ("vgg19_bn", "resnet152", "plain110", "efficientnetv2_s", "nfnet_f0")])
def test_every_parameter_of_the_deepest_networks_gets_a_gradient(row):
    with torch.device("meta"):
        network = zoo.build(row.name, classes=7, channels=3, size=28)
        network(torch.zeros(2, 3, 28, 28)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


@every_kind
def test_in_eval_a_picture_does_not_feel_its_neighbours(row):
    with torch.no_grad():
        together, alone = built(row)(pictures(3, row)), built(row)(pictures(3, row)[:1])
    assert together.std() > 0
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)


@every_kind
def test_channels_last_gives_the_same_logits(row):
    network = built(row)
    with torch.no_grad():
        expected = network(pictures(2, row))
        network.to(memory_format=torch.channels_last)
        found = network(pictures(2, row).contiguous(memory_format=torch.channels_last))
        network.to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@every_kind
def test_bfloat16_gives_nearly_the_same_logits(row):
    """bfloat16 keeps 8 bits, a relative step of 2^-8 = 0.4 % in every layer: at most 10 % of the length of the logits in the end."""
    with torch.no_grad():
        expected = built(row)(pictures(2, row))
        with torch.autocast("cpu", torch.bfloat16):
            found = built(row)(pictures(2, row))
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() < 0.1 * expected.norm()
    assert not torch.equal(found.float(), expected)


@every_kind
def test_features_then_head_is_the_network(row):
    with torch.no_grad():
        maps = built(row).features(pictures(2, row))
        torch.testing.assert_close(built(row).head(maps), built(row)(pictures(2, row)), rtol=0, atol=0)
    assert maps.ndim == 4


@every_kind
def test_no_layer_changes_what_another_layer_gave_out(row):
    """Else a recorded map would show a later layer's values: the trap of in-place ReLUs and `out += shortcut(x)`."""
    network, seen = built(row), []
    leaves = [layer for layer in network.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(lambda _l, _i, output: seen.append((output, output.clone()))) for layer in leaves]
    try:
        with torch.no_grad():
            network(pictures(1, row))
    finally:
        for hook in hooks:
            hook.remove()
    assert len(seen) == len(leaves)
    assert all(torch.equal(output, at_the_time) for output, at_the_time in seen)
    assert not [layer for layer in leaves if getattr(layer, "inplace", False)]
