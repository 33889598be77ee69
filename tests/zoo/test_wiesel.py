"""Our own network: what its four ideas promise."""

import torch
import torch.nn.functional as F
from torch import nn

from wiesel import images, zoo
from wiesel.batches import measure
from wiesel.zoo.wiesel import whitening_filters


def test_whitened_patches_are_uncorrelated_with_length_one():
    data = images.load("fashion-mnist-sample").train
    pictures = measure(data.pixels).normalise(torch.tensor(data.pixels[:500]))
    filters = whitening_filters(pictures, 2, eps=0.0)
    answers = F.conv2d(pictures, filters).movedim(1, 0).flatten(1).double()  # so many float32 products do not add up exactly
    half = len(answers) // 2
    correlations = answers[:half] @ answers[:half].T / answers.shape[1]
    torch.testing.assert_close(correlations, torch.eye(half, dtype=torch.float64), atol=1e-5, rtol=0)
    torch.testing.assert_close(answers[:half], -answers[half:])


def test_the_first_filter_sees_brightness_and_the_last_the_rarest_pattern():
    data = images.load("fashion-mnist-sample").train
    pictures = measure(data.pixels).normalise(torch.tensor(data.pixels[:500]))
    filters = whitening_filters(pictures, 2)[:4, 0]
    assert filters[0].sum().abs() / filters[0].abs().sum() > 0.99
    lengths = filters.flatten(1).norm(dim=1)
    assert (lengths.diff() > 0).all()  # the rarer a pattern, the larger the factor


def test_a_filter_bank_starts_by_passing_its_inputs_through():
    network = zoo.build("wiesel_s", classes=10, channels=3, size=32)
    conv = network.features.stage2.conv1
    maps = torch.rand(2, conv.in_channels, 9, 9)
    torch.testing.assert_close(conv(maps)[:, : conv.in_channels], maps)


def test_shapes_are_those_of_the_drawing():
    network = zoo.build("wiesel_m", classes=10, channels=1, size=28)
    maps, shapes = torch.zeros(2, 1, 28, 28), []
    for stage in network.features:
        maps = stage(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(8, 27, 27), (32, 13, 13), (128, 6, 6), (128, 3, 3)]
    assert all(
        not norm.weight.requires_grad and norm.bias.requires_grad for norm in network.modules() if isinstance(norm, nn.BatchNorm2d)
    )
