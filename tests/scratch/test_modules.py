import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.scratch.geometries import convolutions, poolings
from wiesel import scratch
from wiesel.errors import BadValue
from wiesel.scratch.algorithms import ALGORITHMS

every = pytest.mark.parametrize("algorithm", ALGORITHMS)
few = settings(max_examples=20)


def test_the_cell_of_the_text():
    picture = torch.arange(1.0, 37).reshape(1, 1, 6, 6)
    conv = scratch.SimpleConv2d(in_channels=1, out_channels=2, kernel_size=3, padding=1)
    assert conv(picture).shape == (1, 2, 6, 6)
    pool = scratch.SimpleMaxPool2d(kernel_size=2)
    assert pool(picture)[0, 0].tolist() == [[8, 10, 12], [20, 22, 24], [32, 34, 36]]
    assert scratch.SimpleConv2d(1, 2, 3, 2, 1)(picture).shape == scratch.SimpleConv2d(1, 2, 3, stride=2, padding=1)(picture).shape
    assert scratch.SimpleMaxPool2d(2, 1)(picture).shape == (1, 1, 5, 5)


@every
@few
@given(case=convolutions(only_3x3=True))
def test_weights_go_to_torch_s_layer_and_back(algorithm, case):
    arguments = (case.channels_in, case.channels_out, case.kernel, *case.settings, case.bias)
    mine, theirs, again = scratch.Conv2d(*arguments, algorithm=algorithm), nn.Conv2d(*arguments), scratch.Conv2d(*arguments)
    assert str(theirs.load_state_dict(mine.state_dict())) == "<All keys matched successfully>"
    assert str(again.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    pictures = case.tensors(torch.float32)[0].detach()
    for layer in (mine, again):
        torch.testing.assert_close(layer(pictures), theirs(pictures), rtol=1e-4, atol=1e-5)


@few
@given(case=convolutions())
def test_from_the_same_seed_the_same_layer_as_torch_s_with_the_same_output(case):
    arguments = (case.channels_in, case.channels_out, case.kernel, *case.settings, case.bias)
    with torch.random.fork_rng():
        torch.manual_seed(case.seed)
        theirs = nn.Conv2d(*arguments)
        torch.manual_seed(case.seed)
        mine = scratch.Conv2d(*arguments)
    given_one = scratch.Conv2d(*arguments, generator=torch.Generator().manual_seed(case.seed))
    for layer in (mine, given_one):
        assert list(layer.state_dict()) == list(theirs.state_dict())
        for name, expected in theirs.state_dict().items():
            torch.testing.assert_close(layer.state_dict()[name], expected, rtol=1e-6, atol=0)
    pictures = case.tensors(torch.float32)[0].detach()
    torch.testing.assert_close(mine(pictures), theirs(pictures), rtol=1e-4, atol=1e-5)


def test_weights_start_uniform_up_to_their_bound():
    layer = scratch.Conv2d(16, 64, 5, groups=2, generator=torch.Generator().manual_seed(0))
    bound = (8 * 5 * 5) ** -0.5
    assert 0.99 * bound < layer.weight.abs().max().item() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert layer.bias.abs().max().item() <= bound


@few
@given(case=poolings(), included=st.booleans())
def test_pooling_layers_take_torch_s_place(case, included):
    pictures = case.tensors(torch.float64)[0].detach()
    for stride in (None, case.stride):
        arguments = (case.kernel, stride, case.padding)
        assert torch.equal(
            scratch.MaxPool2d(*arguments, case.dilation)(pictures), nn.MaxPool2d(*arguments, case.dilation)(pictures)
        )
        mean = nn.AvgPool2d(*arguments, count_include_pad=included)(pictures)
        torch.testing.assert_close(scratch.AvgPool2d(*arguments, included)(pictures), mean, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("make", [lambda: scratch.Conv2d(2, 4, 3), lambda: scratch.MaxPool2d(2), lambda: scratch.AvgPool2d(2)])
def test_one_picture_without_a_batch_is_taken_as_in_torch(make):
    layer, pictures = make(), torch.randn(3, 2, 6, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(pictures[1]), layer(pictures[1:2])[0])


@every
def test_double_converts_the_layer(algorithm):
    layer = scratch.Conv2d(1, 1, 3, algorithm=algorithm).double()
    assert layer(torch.zeros(1, 1, 4, 4, dtype=torch.float64)).dtype == torch.float64


def test_a_layer_says_what_it_is():
    assert repr(scratch.Conv2d(1, 2, 3, padding=1, bias=False, algorithm="fft")) == (
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1, bias=False, algorithm='fft')"
    )
    assert repr(scratch.MaxPool2d(2)) == "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1))"
    assert repr(scratch.AvgPool2d(3, 1)) == "AvgPool2d(kernel_size=(3, 3), stride=(1, 1), padding=(0, 0), count_include_pad=True)"


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        ((0, 2, 3), {}, "in_channels = 0 is not possible: a whole number from 1 on"),
        ((1, 2.0, 3), {}, "out_channels = 2.0 is not possible: a whole number from 1 on"),
        ((3, 4, 3), {"groups": 2}, "groups = 2 is not possible"),
        ((1, 1, 3), {"padding": "same"}, "padding = 'same' is not possible"),
        ((1, 1, 3), {"algorithm": "magic"}, "algorithm = 'magic' is not possible: one of 'loops', 'im2col', 'fft', 'winograd'"),
        ((1, 1, 5), {"algorithm": "winograd"}, "algorithm 'winograd' is for 3 x 3 kernels"),
    ],
)
def test_a_layer_that_cannot_be_is_refused_when_it_is_made(monkeypatch, arguments, more, sentence):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue) as caught:
        scratch.Conv2d(*arguments, **more)
    assert sentence in str(caught.value)
