"""What holds for every change: the network given stays as it was, the new one trains, and nonsense is refused with a reason."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from wiesel import zoo
from wiesel.blocks import initialisation
from wiesel.errors import BadChange, LayerNotFound, UnknownChange
from wiesel.zoo.naming import divided, joined
from wiesel.zoo.surgery import parse

IMAGE = (1, 12, 12)
CHANGES = (
    "activation=sigmoid",
    "activation=prelu@stage1",
    "residual=off",
    "norm=off",
    "norm=group",
    "norm=layer",
    "init=he",
    "init=xavier",
    "init=normal:0.01",
    "init=pytorch",
    "kernel=5",
    "width=0.5",
    "depth=+1",
    "depth=-1",
    "branch=parallel:3x3",
    "branch=parallel:3x3@features",
    "head=onehot",
    "head=blocks",
)


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return zoo.build("resnet20", size=12)


def sizes(network):
    return sum(parameter.numel() for parameter in network.parameters())


def trains(network, image=IMAGE, classes=10):
    """Forward and backward; every parameter must have a gradient, and the logits their shape."""
    torch.manual_seed(1)
    logits = network.train()(torch.randn(3, *image))
    assert logits.shape == (3, classes)
    functional.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_network_trains_and_the_one_given_stays_as_it_was(change, resnet):
    before = {name: tensor.clone() for name, tensor in resnet.state_dict().items()}
    layers, modes = str(resnet), [layer.training for layer in resnet.modules()]
    done = zoo.change(resnet, change, image=IMAGE)
    assert done.network is not resnet
    assert str(resnet) == layers
    assert [layer.training for layer in resnet.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in resnet.state_dict().items())
    assert done.parameters == (sizes(resnet), sizes(done.network))
    assert done.layers
    assert change in done.sentence()
    trains(done.network)


def test_all_at_once_in_their_order(resnet):
    changes = ("norm=off", "init=fixup", "activation=tanh", "kernel=5@stage2", "depth=+1", "width=2", "branch=parallel:3x3@stage1")
    network = zoo.build("resnet20", size=12, changes=changes)
    trains(network)
    assert not any(isinstance(layer, (nn.ReLU, nn.BatchNorm2d)) for layer in network.modules())


def test_the_same_seed_gives_the_same_weights_and_looking_through_a_network_draws_nothing():
    def built(*changes):
        torch.manual_seed(5)
        return zoo.build("resnet20", size=12, changes=changes), torch.rand(())

    (one, after_one), (two, after_two) = built("kernel=5", "depth=+1"), built("kernel=5", "depth=+1")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert after_one == after_two
    assert built("activation=sigmoid")[1] == built()[1]


def test_a_name_may_carry_changes():
    assert divided("resnet18") == ("resnet18", ())
    assert divided("timm:resnet18:init=normal:0.01,norm=off@a.b") == ("timm:resnet18", ("init=normal:0.01", "norm=off@a.b"))
    assert divided(joined("timm:x", ("kernel=5", "head=onehot"))) == ("timm:x", ("kernel=5", "head=onehot"))
    network = zoo.build("resnet20:residual=off,activation=sigmoid", size=12, changes=("kernel=5",))
    assert zoo.find("resnet20:residual=off").name == "resnet20"
    assert isinstance(network.features.stem.activation, nn.Sigmoid)
    assert network.features.stage1.block1.shortcut is None
    assert network.features.stage1.block1.conv1.kernel_size == (5, 5)


def test_the_sentence_says_what_changed_in_both_languages(resnet, monkeypatch):
    done = zoo.change(resnet, "kernel=5@stem", image=IMAGE)
    assert done.sentence() == "kernel=5@stem: 1 layer (features.stem.conv), parameters 269,434 -> 269,690"
    assert done.sentence((1, 2_000)).endswith("multiply-adds 1 -> 2,000")
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert done.sentence().startswith("kernel=5@stem: 1 Schicht (features.stem.conv), Parameter")


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ("activaton=relu", UnknownChange, "There is no change called 'activaton'. Nearest: activation."),
        ("", UnknownChange, "There is no change called ''."),
        ("activation=sigmoidal", BadChange, "'sigmoidal' is none of relu, "),
        ("activation", BadChange, "'' is none of"),
        ("pooling=median", BadChange, "'median' is none of stride, conv, avg, max"),
        ("residual=on", BadChange, "can only be taken away"),
        ("norm=batch:3", BadChange, "a norm is off, batch, group, group:8 or layer"),
        ("norm=group:0", BadChange, "a norm is off"),
        ("init=lecun", BadChange, "an initialisation is he"),
        ("init=normal:-1", BadChange, "an initialisation is he"),
        ("init=normal:nan", BadChange, "an initialisation is he"),
        ("kernel=4", BadChange, "'4' is no kernel; use an odd number"),
        ("kernel=five", BadChange, "'five' is no kernel"),
        ("kernel=3x3x3", BadChange, "is no kernel"),
        ("width=0", BadChange, "a width is a factor above 0"),
        ("width=wide", BadChange, "a width is a factor above 0"),
        ("depth=1", BadChange, "a depth is +1"),
        ("depth=+0", BadChange, "a depth is +1"),
        ("branch=serial:3x3", BadChange, "a branch is parallel:3x3"),
        ("branch=parallel:2x2", BadChange, "'2x2' is no kernel"),
        ("head=softmax", BadChange, "the other heads are onehot and blocks"),
        ("kernel=5@", BadChange, "after @ comes the name of a layer"),
        ("kernel=5@a b", BadChange, "after @ comes the name of a layer"),
    ],
)
def test_what_is_no_change_is_refused_without_a_network(change, kind, sentence):
    with pytest.raises(kind) as caught:
        parse(change)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("model", "change", "sentence"),
    [
        ("simple_cnn", "residual=off", "there are no shortcuts in this network"),
        ("simple_cnn", "norm=off", "there is no norm in this network"),
        ("simple_cnn", "pooling=stride", "there is no pool in this network"),
        ("simple_cnn", "kernel=3", "all kernels have this size already"),
        ("simple_cnn", "depth=-1", "no stage in this network has a block that could be spared"),
        ("simple_cnn", "init=fixup", "there are no residual blocks"),
        ("simple_cnn", "width=1", "that is the width it has"),
        ("simple_cnn", "width=0.3", "possible are multiples of 1/32"),
        ("simple_cnn", "width=0.5@stage1", "it goes through the whole network"),
        ("simple_cnn", "head=onehot@stage1", "it goes through the whole network"),
        ("resnet20", "head=blocks@stage1", "it goes through the whole network"),
        ("vgg11", "head=blocks", "it has no blocks that follow one another"),
        ("lenet5", "head=blocks", "its head is not one linear layer on the means of maps"),
        ("simple_cnn", "activation=gelu@head", "there is no activation in head"),
        ("simple_cnn", "branch=parallel:3x3@head", "head: does not make maps of maps"),
        ("resnet20", "init=fixup", "there are 19; ask for norm=off before it"),
        ("resnet20", "norm=group:7", "has 16 channels, which 7 does not divide; a divisor of 16 fits everywhere"),
        ("resnet20", "kernel=5@features.stage1.block1.relu1", "no convolution in features.stage1.block1.relu1"),
        ("plain20", "residual=off", "there are no shortcuts"),
        ("squeezenet1_1", "pooling=stride", "pooling=conv puts one in its place"),
    ],
)
def test_what_makes_no_sense_here_is_refused_with_the_reason(model, change, sentence):
    with torch.device("meta"), pytest.raises(BadChange) as caught:
        zoo.build(model, channels=1, size=28, changes=(change,))
    assert sentence in str(caught.value)
    assert repr(change) in str(caught.value)


def test_a_layer_that_is_not_there_is_named_with_the_nearest(resnet):
    with pytest.raises(LayerNotFound) as caught:
        zoo.change(resnet, "activation=sigmoid@features.stagee1", image=IMAGE)
    assert "no layer 'features.stagee1'. Nearest: features.stage1" in str(caught.value)


def test_pictures_that_the_network_does_not_take_are_refused(resnet):
    with pytest.raises(BadChange) as caught:
        zoo.change(resnet, "activation=sigmoid", image=(3, 12, 12))
    assert "pictures of 3x12x12 do not pass through the network" in str(caught.value)


def test_new_layers_are_drawn_as_the_network_was():
    torch.manual_seed(0)
    lenet = zoo.build("lenet5", size=28)
    simple = zoo.build("simple_cnn", size=28)
    resnet = zoo.build("resnet20", size=12)
    bound = (6 / (16 * 9 + 120 * 9)) ** 0.5  # Xavier: U(-a, a)
    drawn = zoo.change(lenet, "kernel=3@stage3", image=(1, 28, 28)).network.features.stage3.c5.weight
    assert 0.98 * bound < drawn.abs().max() <= bound
    bound = (1 / (32 * 25)) ** 0.5  # PyTorch's own
    drawn = zoo.change(simple, "kernel=5@stage2", image=(1, 28, 28)).network.features.stage2.conv.weight
    assert 0.98 * bound < drawn.abs().max() <= bound
    drawn = zoo.change(resnet, "kernel=5@stage3", image=IMAGE).network.features.stage3.block2.conv1.weight
    assert drawn.std().item() == pytest.approx((2 / (64 * 25)) ** 0.5, rel=0.02)  # He: N(0, 2 / (Cout * kernel area))
    later = zoo.change(zoo.change(resnet, "init=normal:0.3", image=IMAGE).network, "kernel=5@stage3", image=IMAGE).network
    assert later.features.stage3.block2.conv1.weight.std().item() == pytest.approx(0.3, rel=0.02)


def test_the_last_word_about_how_weights_are_drawn_counts():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Conv2d(2, 2, 3)))
    assert initialisation.rule_for(network, "0") is None
    initialisation.xavier(network[1])
    initialisation.he(network)
    assert initialisation.rule_for(network, "1.0") is initialisation.he
    initialisation.xavier(network[1])
    assert initialisation.rule_for(network, "1.0") is initialisation.xavier
    assert initialisation.rule_for(network, "0") is initialisation.he
