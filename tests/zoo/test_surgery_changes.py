"""Each change by numbers that can be checked by hand, on small networks."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional

from wiesel import zoo
from wiesel.blocks.conv_norm import conv_norm
from wiesel.blocks.inception_conv import inception_conv
from wiesel.blocks.initialisation import zero_last_norms
from wiesel.blocks.mbconv import MBConv
from wiesel.errors import BadChange
from wiesel.zoo.convnext import ConvNeXtBlock
from wiesel.zoo.densenet import DenseLayer
from wiesel.zoo.efficientnetv2 import FusedMBConv
from wiesel.zoo.inception4 import InceptionResidual, residual_a
from wiesel.zoo.nfnet import NormFreeBlock
from wiesel.zoo.regnet import YBlock
from wiesel.zoo.wide_resnet import PreActivatedBlock
from wiesel.zoo.xception import XceptionBlock

IMAGE = (1, 12, 12)


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return zoo.build("resnet20", size=12)


@pytest.fixture(scope="module")
def pictures():
    return torch.randn(2, *IMAGE, generator=torch.Generator().manual_seed(3))


def sizes(network):
    return sum(parameter.numel() for parameter in network.parameters())


def count(network, kind):
    return sum(isinstance(layer, kind) for layer in network.modules())


def chain(**layers):
    return nn.Sequential(OrderedDict(layers))


def shape_after(network, side):
    return tuple(network(torch.zeros(1, 1, side, side)).shape)


# --- activation ----------------------------------------------------------------------------------------------------------


def test_all_activations_change_or_those_of_a_part(resnet):
    every = zoo.change(resnet, "activation=sigmoid", image=IMAGE)
    assert (count(every.network, nn.Sigmoid), count(every.network, nn.ReLU), len(every.layers)) == (19, 0, 19)
    some = zoo.change(resnet, "activation=leaky_relu@features.stage1+stage3.block1", image=IMAGE)
    assert (count(some.network, nn.LeakyReLU), count(some.network, nn.ReLU)) == (8, 11)
    learned = zoo.change(resnet, "activation=prelu", image=IMAGE)
    assert learned.parameters[1] - learned.parameters[0] == 19  # a slope each


def test_gates_are_no_activations():
    with torch.device("meta"):
        network = zoo.build("mobilenet_v3_small", channels=1, size=28)
    done = zoo.change(network, "activation=tanh", image=(1, 28, 28))
    assert count(done.network, nn.Hardsigmoid) == count(network, nn.Hardsigmoid) > 0
    assert count(done.network, nn.Hardswish) == count(done.network, nn.ReLU) == 0


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.stage = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(self.stage(functional.relu(self.conv(x))).mean((2, 3)))


def test_an_activation_inside_forward_is_refused_by_name_unless_only_layers_are_meant():
    network = Functional()
    with pytest.raises(BadChange) as caught:
        zoo.change(network, "activation=gelu", image=IMAGE)
    assert "functions inside forward here, not layers, in 1 places: Functional (Functional: relu)" in str(caught.value)
    assert zoo.change(network, "activation=gelu@stage", image=IMAGE).layers == ("stage.1",)


# --- pooling -------------------------------------------------------------------------------------------------------------


def pooled():
    return chain(
        conv=nn.Conv2d(1, 8, 3, padding=1),
        relu=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 8, 3, padding=1),
        last=nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True),
        mean=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(8, 3),
    )


@pytest.mark.parametrize("side", [12, 13])
def test_the_convolution_strides_in_place_of_the_pool(side):
    network = pooled()
    done = zoo.change(network, "pooling=stride", image=(1, side, side)).network
    assert (done.conv.stride, done.conv2.stride) == ((2, 2), (2, 2))
    assert count(done, nn.MaxPool2d) == 0
    assert sizes(done) == sizes(network)
    assert shape_after(done[:3], side) == shape_after(network[:3], side) == (1, 8, 6, 6)
    assert shape_after(done[:5], side) == shape_after(network[:5], side)


@pytest.mark.parametrize("side", [12, 13, 15])
def test_a_convolution_takes_the_place_of_the_pool(side):
    network = pooled()
    done = zoo.change(network, "pooling=conv", image=(1, side, side)).network
    assert sizes(done) - sizes(network) == (8 * 8 * 2 * 2 + 8) + (8 * 8 * 3 * 3 + 8)
    assert isinstance(done.pool.activation, nn.ReLU)
    assert shape_after(done[:5], side) == shape_after(network[:5], side)


def test_a_mean_takes_the_place_of_the_largest_value_and_back():
    mean = zoo.change(pooled(), "pooling=avg", image=IMAGE).network
    assert (count(mean, nn.AvgPool2d), count(mean, nn.MaxPool2d), mean.last.count_include_pad) == (2, 0, False)
    back = zoo.change(mean, "pooling=max@last", image=IMAGE).network
    assert (count(back, nn.AvgPool2d), back.last.padding, back.last.ceil_mode) == (1, 1, True)


# --- residual ------------------------------------------------------------------------------------------------------------


def test_without_its_shortcuts_a_resnet_is_its_plain_twin(resnet, pictures):
    torch.manual_seed(4)
    ours = zoo.build("resnet20", size=12, changes=("residual=off",)).eval()
    torch.manual_seed(4)
    twin = zoo.build("plain20", size=12).eval()
    assert sizes(ours) == sizes(twin) == 269_434
    assert list(ours.state_dict()) == list(twin.state_dict())
    assert torch.equal(ours(pictures), twin(pictures))
    assert not torch.equal(ours(pictures), resnet.eval()(pictures))


def test_projections_go_with_their_shortcuts_and_a_part_may_keep_its_own():
    with torch.device("meta"):
        network = zoo.build("resnet18", size=28)
        plain = zoo.build("plain18", size=28)
        assert sizes(zoo.change(network, "residual=off", image=(1, 28, 28)).network) == sizes(plain)
        part = zoo.change(network, "residual=off@stage4", image=(1, 28, 28))
        assert part.parameters[0] - part.parameters[1] == 256 * 512 + 2 * 512  # one projection and its norm


@pytest.mark.parametrize(
    "block",
    [
        lambda: PreActivatedBlock(8, 8, 1),
        lambda: PreActivatedBlock(8, 8, 2),
        lambda: YBlock(8, 8, 1, 4),
        lambda: ConvNeXtBlock(8, 1.0),
        lambda: MBConv(8, 16, 8, 3, 1, nn.ReLU),
        lambda: FusedMBConv(8, 16, 8, 1, 1.0),
        lambda: XceptionBlock((8, 8, 8)),
        lambda: residual_a(1.0),
        lambda: NormFreeBlock(8, 256, 2, 1.0, 1.0),
    ],
)
def test_a_block_without_its_shortcut_is_its_correction_and_awake(block):
    torch.manual_seed(0)
    block = block()
    zero_last_norms(block)
    if isinstance(block, NormFreeBlock):
        nn.init.zeros_(block.scale)
    width = 320 if isinstance(block, InceptionResidual) else 8
    network = chain(conv=nn.Conv2d(1, width, 3), block=block)
    changed = zoo.change(network, "residual=off", image=IMAGE).network
    changed(torch.randn(2, *IMAGE)).square().mean().backward()
    assert [name for name, parameter in changed.named_parameters() if parameter.grad is None] == []
    assert changed.conv.weight.grad.abs().max() > 1e-8  # the signal reaches the first layer
    with pytest.raises(BadChange, match="there are no shortcuts"):
        zoo.change(changed, "residual=off", image=IMAGE)


# --- norm ----------------------------------------------------------------------------------------------------------------


def test_other_norms_have_the_same_parameters_and_keep_a_scale_of_zero(resnet, pictures):
    for change, groups in (("norm=group", 8), ("norm=group:4", 4), ("norm=layer", 1)):
        done = zoo.change(resnet, change, image=IMAGE)
        assert done.parameters[0] == done.parameters[1]
        assert done.network.features.stem.norm.num_groups == groups
        assert (done.network.features.stage1.block1.norm2.weight == 0).all()
        assert count(done.network, nn.BatchNorm2d) == 0
    back = zoo.change(done.network, "norm=batch", image=IMAGE).network
    assert (count(back, nn.BatchNorm2d), count(back, nn.GroupNorm)) == (19, 0)


def test_without_norms_convolutions_get_the_shift_as_their_bias(resnet):
    done = zoo.change(resnet, "norm=off", image=IMAGE)
    channels = 7 * 16 + 6 * 32 + 6 * 64
    assert done.parameters[0] - done.parameters[1] == channels  # scale and shift went, a bias came
    assert all(layer.bias is not None for layer in done.network.modules() if isinstance(layer, nn.Conv2d))


def test_response_norm_can_go_too():
    with torch.device("meta"):
        network = zoo.build("alexnet2012", channels=1)
    done = zoo.change(network, "norm=group:32", image=(1, 227, 227))
    assert (count(done.network, nn.GroupNorm), done.parameters[1] - done.parameters[0]) == (2, 2 * 96 + 2 * 256)


# --- init ----------------------------------------------------------------------------------------------------------------


def test_weights_are_drawn_by_the_rule_and_blocks_go_on_starting_as_their_shortcut(resnet):
    torch.manual_seed(0)
    done = zoo.change(resnet, "init=normal:0.2", image=IMAGE).network
    assert done.features.stage3.block2.conv1.weight.std().item() == pytest.approx(0.2, rel=0.02)
    assert (done.features.stage1.block1.norm2.weight == 0).all()
    part = zoo.change(resnet, "init=xavier@stage3", image=IMAGE).network
    assert torch.equal(part.features.stage2.block2.conv1.weight, resnet.features.stage2.block2.conv1.weight)
    assert part.features.stage3.block2.conv1.weight.abs().max() <= (6 / (2 * 64 * 9)) ** 0.5


def test_fixup_scales_the_branches_by_their_number():
    torch.manual_seed(0)
    network = zoo.build("resnet20", size=12, changes=("norm=off", "init=fixup"))
    block = network.features.stage3.block2
    he = (2 / (64 * 9)) ** 0.5
    assert block.conv1.weight.std().item() == pytest.approx(he * 9 ** (-1 / 2), rel=0.02)  # L = 9 blocks of m = 2: L^(-1/2)
    assert not block.conv2.weight.any()
    assert not network.head.linear.weight.any()
    assert block.norm2.weight.shape == ()
    assert block.norm2.weight == 1
    assert not network(torch.randn(2, *IMAGE)).any()
    assert sizes(network) == 269_434 - 688 + 9


# --- kernel, width, depth ------------------------------------------------------------------------------------------------


def test_a_larger_kernel_costs_by_its_area_and_keeps_the_maps():
    network = chain(conv=nn.Conv2d(64, 64, 3, padding=1, bias=False), norm=nn.BatchNorm2d(64), one=nn.Conv2d(64, 2, 1, bias=False))
    done = zoo.change(network, "kernel=5@conv", image=(64, 8, 8))
    assert (network.conv.weight.numel(), done.network.conv.weight.numel()) == (36_864, 102_400)
    assert done.network(torch.zeros(1, 64, 8, 8)).shape == (1, 2, 8, 8)
    assert zoo.change(network, "kernel=3x7", image=(64, 8, 8)).network.conv.weight.shape == (64, 64, 3, 7)
    assert zoo.change(network, "kernel=3@one", image=(64, 8, 8)).network.one.weight.shape == (2, 64, 3, 3)
    assert network.conv.kernel_size == (3, 3)


def test_where_there_is_no_margin_to_give_maps_grow_and_it_is_said():
    torch.manual_seed(0)
    done = zoo.change(zoo.build("lenet5", size=28), "kernel=3", image=(1, 28, 28))
    assert done.left_out["features.stage2.c3"] == "maps of 12 instead of 10 pixels"
    assert done.network(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_a_kernel_of_one_axis_grows_along_it():
    network = chain(wide=inception_conv(1, 4, (1, 7)), tall=inception_conv(4, 4, (7, 1)))
    done = zoo.change(network, "kernel=5", image=IMAGE).network
    assert (done.wide.conv.kernel_size, done.tall.conv.kernel_size) == ((1, 5), (5, 1))
    assert done(torch.zeros(1, *IMAGE)).shape == (1, 4, 12, 12)


def test_a_margin_laid_by_a_layer_of_its_own_follows_the_kernel():
    network = conv_norm(1, 4, kernel=3, stride=2, same=True)
    done = zoo.change(network, "kernel=5", image=IMAGE).network
    assert (done.pad.kernel, done.conv.padding) == (5, (0, 0))
    assert done(torch.zeros(1, *IMAGE)).shape == (1, 4, 6, 6)


def test_half_the_width_is_about_a_quarter_of_the_weights(resnet):
    done = zoo.change(resnet, "width=0.5", image=IMAGE)
    # As resnet20 with 8, 16, 32 channels: stem, then per stage a first block from half the channels and two more.
    stage = [6 * 9 * 8 * 8, 9 * 8 * 16 + 5 * 9 * 16 * 16, 9 * 16 * 32 + 5 * 9 * 32 * 32]
    assert done.parameters[1] == 9 * 8 + sum(stage) + 2 * (7 * 8 + 6 * 16 + 6 * 32) + 32 * 10 + 10
    twice = zoo.change(done.network, "width=2", image=IMAGE).network
    assert [p.shape for p in twice.parameters()] == [p.shape for p in resnet.parameters()]


@pytest.mark.parametrize("model", ["lenet5", "vgg11", "squeezenet1_1", "mobilenet_v3_small"])
def test_the_width_of_other_families_changes_too(model):
    with torch.device("meta"):
        network = zoo.build(model, size=28)
        done = zoo.change(network, "width=0.5", image=(1, 28, 28))
    assert 0.24 < done.parameters[1] / done.parameters[0] < 0.28


def test_groups_keep_their_number_unless_each_channel_is_one():
    network = chain(
        conv=nn.Conv2d(1, 8, 3),
        block=ConvNeXtBlock(8, 1.0),
        grouped=nn.Conv2d(8, 16, 3, groups=2),
        mean=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(16, 3),
    )
    done = zoo.change(network, "width=3/2", image=IMAGE).network
    assert (done.block.depthwise.groups, done.block.scale.shape, done.block.norm.normalized_shape) == (12, (12, 1, 1), (12,))
    assert (done.grouped.groups, done.grouped.weight.shape) == (2, (24, 6, 3, 3))
    assert done(torch.zeros(2, *IMAGE)).shape == (2, 3)
    with pytest.raises(BadChange, match=r"grouped: 2 groups, 1 -> 2"):
        zoo.change(network, "width=1/8", image=IMAGE)


def test_a_block_more_in_each_stage_is_the_next_resnet(resnet):
    deeper = zoo.change(resnet, "depth=+2", image=IMAGE)
    assert deeper.layers[:2] == ("features.stage1.block4", "features.stage1.block5")
    with torch.device("meta"):
        assert sizes(deeper.network) == sizes(zoo.build("resnet32", size=12))
    block = deeper.network.features.stage2
    assert not torch.equal(block.block4.conv1.weight, block.block3.conv1.weight)
    assert (block.block4.norm2.weight == 0).all()
    back = zoo.change(deeper.network, "depth=-2", image=IMAGE).network
    assert list(back.state_dict()) == list(resnet.state_dict())


def test_vgg_grows_by_convolutions_before_the_pool():
    with torch.device("meta"):
        network = zoo.build("vgg11_bn", size=28)
        deeper = zoo.change(network, "depth=+1@stage1+stage2", image=(1, 28, 28)).network
    assert [name for name, _ in deeper.features.stage1.named_children()] == [
        *("conv1", "norm1", "relu1", "conv2", "norm2", "relu2", "pool"),
    ]
    with torch.device("meta"):
        assert sizes(deeper) == sizes(zoo.build("vgg13_bn", size=28))


def test_stages_that_cannot_grow_are_named():
    network = chain(
        first=chain(entry=XceptionBlock((1, 8), stride=2, first_relu=False)),
        second=chain(middle1=XceptionBlock((8, 8)), exit=XceptionBlock((8, 12), stride=2)),
        third=chain(layer1=DenseLayer(12, 4), layer2=DenseLayer(16, 4)),
    )
    done = zoo.change(network, "depth=+1", image=IMAGE)
    assert done.layers == ("second.middle2",)
    assert done.left_out == dict.fromkeys(("first", "third"), "no block that keeps its shape")
    assert [name for name, _ in done.network.second.named_children()] == ["middle1", "middle2", "exit"]


# --- branch, head --------------------------------------------------------------------------------------------------------


def test_a_branch_beside_a_convolution_has_its_shape_and_adds_to_it():
    network = chain(conv=nn.Conv2d(3, 8, 5, stride=2, padding=2), relu=nn.ReLU(), tight=nn.Conv2d(8, 4, 5))
    done = zoo.change(network, "branch=parallel:3x3", image=(3, 16, 16))
    assert done.parameters[1] - done.parameters[0] == (3 * 8 * 9 + 8) + (8 * 4 * 9 + 4)
    assert done.layers == ("conv.branch", "tight.branch")
    x = torch.randn(1, 3, 16, 16)
    pair = done.network.conv
    torch.testing.assert_close(pair(x), network.conv(x) + pair.branch(x))
    # The tight one leaves out two pixels of margin, a 3x3 without margin one: the branch looks at the same centres.
    inner = torch.randn(1, 8, 8, 8)
    branch = done.network.tight.branch
    expected = functional.conv2d(inner, branch.conv.weight, branch.conv.bias)[:, :, 1:-1, 1:-1].relu()
    torch.testing.assert_close(branch(inner), expected)


def test_one_branch_beside_all_convolutions_ends_before_the_dense_layers(resnet, pictures):
    done = zoo.change(resnet, "branch=parallel:3x3@features", image=IMAGE)
    assert done.parameters[1] - done.parameters[0] == 64 * 9 + 2 * 64
    assert isinstance(done.network.features, nn.Sequential)
    with torch.no_grad():
        maps = done.network.eval().features(pictures)
        both = resnet.eval().features(pictures) + done.network.features.stages.branch(pictures)
    torch.testing.assert_close(maps, both)


def test_the_network_says_the_class_itself(resnet, pictures):
    network = zoo.change(resnet, "head=onehot", image=IMAGE).network
    plain = resnet.eval()(pictures)
    answer = network.eval()(pictures)
    assert torch.equal(answer.logits, plain)
    assert answer.label.tolist() == plain.argmax(1).tolist()
    assert (answer.onehot.shape, answer.onehot.dtype) == ((2, 10), torch.int64)
    assert answer.onehot.sum(1).tolist() == [1, 1]
    assert answer.onehot[torch.arange(2), answer.label].tolist() == [1, 1]
    assert isinstance(network.train()(pictures), torch.Tensor)
    with pytest.raises(BadChange, match="it says the class already"):
        zoo.change(network, "head=onehot", image=IMAGE)


def test_the_last_layer_sees_mean_and_deviation_of_every_block(resnet, pictures):
    done = zoo.change(resnet, "head=blocks", image=IMAGE)
    network = done.network.eval()
    blocks = [f"features.stage{stage}.block{block}" for stage in (1, 2, 3) for block in (1, 2, 3)]
    kept = {}
    for name in blocks:
        resnet.get_submodule(name).register_forward_hook(lambda _layer, _inputs, output, name=name: kept.update({name: output}))
    with torch.no_grad():
        resnet.eval()(pictures)
        seen = network.features(pictures)
    expected = [part for name in blocks for part in (kept[name].mean((2, 3)), kept[name].std((2, 3), correction=0))]
    torch.testing.assert_close(seen.flatten(1), torch.cat(expected, 1), atol=2e-3, rtol=0)  # a root of 1e-6 is 1e-3
    assert done.network.head.linear.in_features == 2 * 3 * (16 + 32 + 64) == 672
    assert done.parameters[1] - done.parameters[0] == (672 - 64) * 10
    with pytest.raises(BadChange, match="it sees every block already"):
        zoo.change(network, "head=blocks", image=IMAGE)


def test_seeing_every_block_leaves_names_so_weights_find_their_place(resnet):
    changed = zoo.change(resnet, "head=blocks", image=IMAGE).network
    assert list(changed.state_dict()) == list(resnet.state_dict())
