import pytest
import torch

from wiesel.blocks.stochastic_depth import StochasticDepth, linear_decay


def test_in_evaluation_and_with_survival_1_nothing_happens():
    x = torch.randn(4, 2, 3, 3)
    assert StochasticDepth(0.3).eval()(x) is x
    assert StochasticDepth(1.0).train()(x) is x


def test_in_training_each_picture_stays_or_goes_as_a_whole_and_the_mean_is_kept():
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 2, 2)
    y = StochasticDepth(0.8).train()(x)
    assert (y == y[:, :1, :1, :1]).all()
    assert y.unique().tolist() == pytest.approx([0, 1.25])
    # 0.8 * 4000 pictures, standard deviation 25.3
    assert (y[:, 0, 0, 0] > 0).sum().item() == pytest.approx(3200, abs=100)
    assert torch.equal(x, torch.ones(4000, 2, 2, 2))


def test_the_draw_is_repeatable_by_torch_s_seed():
    layer, x = StochasticDepth(0.5).train(), torch.ones(64, 1, 1, 1)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)


def test_survival_falls_along_a_line_to_that_of_the_last_block():
    assert linear_decay(4, 0.5) == [0.875, 0.75, 0.625, 0.5]
    assert linear_decay(3, 1.0) == [1.0, 1.0, 1.0]
