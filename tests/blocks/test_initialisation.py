import math

import pytest
import torch
from torch import nn

from wiesel.blocks import initialisation


def network():
    return nn.Sequential(nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(64, 48))


def seeded():
    return torch.Generator().manual_seed(1)


def test_he_spreads_filters_by_what_they_feed():
    layers = network()
    initialisation.he(layers, seeded())
    # 2 / (64 channels out * 9): 18 432 draws, so the estimate is off by more than 2 % once in 10 000 times.
    assert layers[0].weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    assert layers[0].weight.mean().item() == pytest.approx(0, abs=0.002)
    assert layers[0].bias.abs().max() == 0


def test_he_sees_that_groups_feed_fewer_channels():
    layer = nn.Conv2d(256, 512, 3, groups=128)
    initialisation.he(layer, seeded())
    # Each channel in feeds the 4 channels out of its group: 2 / (4 * 9), from 9 216 draws.
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / (4 * 9)), rel=0.03)


def test_he_leaves_linear_layers_alone():
    layers = network()
    before = layers[3].weight.clone()
    initialisation.he(layers, seeded())
    assert torch.equal(layers[3].weight, before)


def test_xavier_is_uniform_up_to_its_bound():
    layers = network()
    initialisation.xavier(layers, seeded())
    for layer, fan_in, fan_out in ((layers[0], 32 * 9, 64 * 9), (layers[3], 64, 48)):
        bound = math.sqrt(6 / (fan_in + fan_out))
        assert 0.99 * bound < layer.weight.abs().max().item() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)
        assert layer.bias.abs().max() == 0


def test_normal_has_the_given_spread_in_every_layer():
    layers = network()
    initialisation.normal(layers, std=0.3, generator=seeded())
    assert layers[0].weight.std().item() == pytest.approx(0.3, rel=0.03)
    assert layers[3].weight.std().item() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("initialise", [initialisation.he, initialisation.xavier, lambda n, g: initialisation.normal(n, 0.1, g)])
def test_every_initialisation_makes_norms_the_identity_and_draws_from_the_given_generator_only(initialise):
    layers, again = network(), network()
    nn.init.constant_(layers[1].weight, 7)
    nn.init.constant_(layers[1].bias, 7)
    state = torch.get_rng_state()
    initialise(layers, seeded())
    initialise(again, seeded())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(layers[0].weight, again[0].weight)
    assert (layers[1].weight == 1).all()
    assert (layers[1].bias == 0).all()


class Block(nn.Module):
    def __init__(self, with_shortcut):
        super().__init__()
        self.norm1, self.norm2, self.with_shortcut = nn.BatchNorm2d(3), nn.BatchNorm2d(3), with_shortcut

    @property
    def last_norm(self):
        return self.norm2 if self.with_shortcut else None


def test_zero_last_norms_touches_the_last_norm_of_blocks_with_a_shortcut_and_nothing_else():
    blocks = nn.Sequential(Block(True), Block(False), nn.BatchNorm2d(3))
    initialisation.zero_last_norms(blocks)
    scales = {name: p.sum().item() for name, p in blocks.named_parameters() if name.endswith("weight")}
    assert scales == {"0.norm1.weight": 3, "0.norm2.weight": 0, "1.norm1.weight": 3, "1.norm2.weight": 3, "2.weight": 3}
