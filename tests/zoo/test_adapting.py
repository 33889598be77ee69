"""Weights into a network with other classes, other channels, or a small stem."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from wiesel import zoo
from wiesel.errors import OtherArchitecture
from wiesel.zoo.adapting import adapt, fitting_name, fold_channels, last_layer, regrouped, shrink_filters


def network(name, classes=10, channels=3, size=32, **more):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return zoo.build(name, classes=classes, channels=channels, size=size, **more)


def test_a_grey_network_answers_a_grey_picture_as_the_colour_network_its_colour_twin():
    mean, std = (0.5, 0.45, 0.4), (0.2, 0.25, 0.3)
    colour, grey = network("resnet20"), network("resnet20", channels=1)
    found = adapt(grey, colour.state_dict(), norm=(mean, std), name="resnet20", title="t")
    assert found.folded
    assert found.head == ()
    grey.load_state_dict(found.tensors)
    picture = torch.rand(1, 1, 32, 32)
    one = (picture - regrouped(mean, 1)[0]) / regrouped(std, 1)[0]
    three = (picture.expand(-1, 3, -1, -1) - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    ours, theirs = (layer.features.stem.conv(x) for layer, x in ((grey, one), (colour, three)))
    offset = (ours - theirs)[0, :, 1:-1, 1:-1]  # inside the margin: what is left is one number per filter, from the means
    assert offset.std((1, 2)).max() < 1e-6
    equal = adapt(grey, colour.state_dict(), norm=((0.5,) * 3, (0.25,) * 3), name="resnet20", title="t")
    grey.load_state_dict(equal.tensors)
    same = (picture - 0.5) / 0.25
    assert torch.allclose(grey.eval()(same), colour.eval()(same.expand(-1, 3, -1, -1)), atol=1e-5)


def test_a_colour_network_from_a_grey_one_sees_the_mean_of_the_colours():
    filters, picture = torch.randn(4, 1, 3, 3), torch.rand(1, 3, 8, 8)
    assert torch.allclose(F.conv2d(picture, fold_channels(filters, 3)), F.conv2d(picture.mean(1, keepdim=True), filters), atol=1e-6)


def test_a_small_stem_sees_what_the_large_one_sees_of_the_picture_enlarged_twice():
    filters, picture = torch.randn(5, 3, 7, 7), torch.rand(2, 3, 9, 9)
    inner = filters.clone()
    inner[..., 0, :] = 0
    inner[..., :, 0] = 0
    twice = picture.repeat_interleave(2, -1).repeat_interleave(2, -2)
    large = F.conv2d(twice, inner, stride=2, padding=3)
    assert torch.allclose(F.conv2d(picture, shrink_filters(filters), padding=1), large, atol=1e-5)


def test_imagenet_weights_go_into_a_small_stem_and_a_head_with_other_classes():
    given = network("resnet18", classes=1000, size=224).state_dict()
    small = network("resnet18", classes=7, size=32)
    found = adapt(small, given, name="resnet18", title="t")
    assert found.head == ("head.linear.weight", "head.linear.bias")
    assert found.tensors.keys() | set(found.head) == small.state_dict().keys()
    assert torch.equal(found.tensors["features.stage4.block2.conv2.weight"], given["features.stage4.block2.conv2.weight"])
    assert found.tensors["features.stem.conv.weight"].shape == (64, 3, 3, 3)


@pytest.mark.parametrize(("theirs", "ours"), [("resnet32", "resnet20"), ("resnet20", "resnet32"), ("lenet5", "resnet20")])
def test_weights_of_another_network_name_the_one_that_they_are_for(theirs, ours):
    given = network(theirs, classes=5).state_dict()
    with pytest.raises(OtherArchitecture, match=f"not those of {ours}: .* --model {theirs}"):
        adapt(network(ours), given, name=ours, title="FILE")


def test_weights_for_larger_pictures_say_how_large():
    with torch.device("meta"):
        given = zoo.build("vgg11", classes=10, channels=3).state_dict()
        small = zoo.build("vgg11", classes=10, channels=3, size=32)
    with pytest.raises(OtherArchitecture, match="vgg11 on larger pictures: --size 224"):
        adapt(small, given, name="vgg11", title="FILE")


def test_weights_of_nothing_in_the_zoo_say_so():
    assert fitting_name({"a.weight": torch.zeros(3, 3)}) == ""
    with pytest.raises(OtherArchitecture, match="No network of the zoo fits"):
        adapt(network("lenet5"), {"a.weight": torch.zeros(3, 3)}, name="lenet5", title="FILE")


def test_the_last_layer_is_the_classifier_of_ours_and_of_others():
    assert last_layer(network("resnet20")) == "head.linear"
    with torch.device("meta"):
        assert last_layer(zoo.build("vgg11", channels=3)) == "head.linear3"
    torchvision = pytest.importorskip("torchvision")
    with torch.device("meta"):
        assert last_layer(torchvision.models.mobilenet_v3_small()) == "classifier.3"
