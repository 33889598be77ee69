import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from tests.scratch.geometries import poolings
from wiesel.errors import BadValue
from wiesel.scratch import loops, pooling

both = pytest.mark.parametrize("max_pool", [loops.max_pool, pooling.max_pool], ids=["loops", "windows"])
few = settings(max_examples=20)


def pooled(pool, pictures, slope, *arguments, **more):
    """Output and the slope at the pictures."""
    leaf = pictures.detach().clone().requires_grad_()
    output = pool(leaf, *arguments, **more)
    return output, torch.autograd.grad(output, leaf, slope(output))[0]


def numbered(output):
    """1, 2, 3 ... as slopes: each window can be told from the others, and sums of them are exact."""
    return torch.arange(1.0, output.numel() + 1, dtype=output.dtype).view(output.shape)


@both
@few
@given(case=poolings(), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_the_maximum_is_torch_s_to_the_last_bit_forward_and_backward(max_pool, case, dtype):
    pictures, arguments = case.tensors(dtype)[0], (case.kernel, case.stride, case.padding, case.dilation)
    for found, expected in zip(
        pooled(max_pool, pictures, numbered, *arguments),
        pooled(functional.max_pool2d, pictures, numbered, *arguments),
        strict=True,
    ):
        assert torch.equal(found, expected)


@both
@few
@given(case=poolings())
def test_of_equal_pixels_the_first_gets_the_slope_as_in_torch(max_pool, case):
    pictures, arguments = (
        case.tensors(torch.float32)[0].round().clamp(0, 1),
        (case.kernel, case.stride, case.padding, case.dilation),
    )
    mine, theirs = (pooled(pool, pictures, numbered, *arguments)[1] for pool in (max_pool, functional.max_pool2d))
    assert torch.equal(mine, theirs)


@both
def test_a_tie_by_hand(max_pool):
    picture = torch.tensor([[[[5.0, 5, 1, 2], [5, 0, 2, 2]]]])
    output, slope = pooled(max_pool, picture, numbered, 2)
    assert output.tolist() == [[[[5, 2]]]]
    assert slope.tolist() == [[[[1, 0, 0, 2], [0, 0, 0, 0]]]]


@both
def test_the_six_by_six_picture_of_the_text(max_pool):
    picture = torch.arange(1.0, 37).reshape(1, 1, 6, 6)
    assert max_pool(picture, 2)[0, 0].tolist() == [[8, 10, 12], [20, 22, 24], [32, 34, 36]]


@both
def test_windows_that_overlap_add_up_at_the_pixel_they_share(max_pool):
    picture = torch.zeros(1, 1, 3, 3)
    picture[0, 0, 1, 1] = 1
    assert pooled(max_pool, picture, torch.ones_like, 2, stride=1)[1][0, 0].tolist() == [[0, 0, 0], [0, 4, 0], [0, 0, 0]]


@both
def test_the_margin_is_never_the_largest(max_pool):
    output, slope = pooled(max_pool, torch.full((1, 1, 2, 2), -3.0), numbered, 2, padding=1)
    assert output.tolist() == [[[[-3, -3], [-3, -3]]]]
    assert slope.tolist() == [[[[1, 2], [3, 4]]]]


@both
def test_a_nan_is_not_lost(max_pool):
    picture = torch.tensor([[[[1.0, math.nan, 3, 4]]]])
    assert max_pool(picture, (1, 2)).isnan().tolist() == [[[[True, False]]]]


@few
@given(case=poolings(dilated=False), included=st.booleans(), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_the_mean_is_torch_s_forward_and_backward(case, included, dtype):
    pictures, arguments = case.tensors(dtype)[0], (case.kernel, case.stride, case.padding)
    mine = pooled(pooling.avg_pool, pictures, numbered, *arguments, count_include_pad=included)
    theirs = pooled(functional.avg_pool2d, pictures, numbered, *arguments, count_include_pad=included)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-10}[dtype]
    for found, expected in zip(mine, theirs, strict=True):
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_means_at_the_border_by_hand():
    picture = torch.tensor([[[[1.0, 2], [3, 6]]]])
    assert pooling.avg_pool(picture, 2)[0, 0].tolist() == [[3]]
    assert pooling.avg_pool(picture, 2, padding=1)[0, 0].tolist() == [[0.25, 0.5], [0.75, 1.5]]
    assert pooling.avg_pool(picture, 2, padding=1, count_include_pad=False)[0, 0].tolist() == [[1, 2], [3, 6]]


@settings(max_examples=5)
@given(case=poolings(dilated=False), included=st.booleans())
def test_the_backward_passes_agree_with_finite_differences(case, included):
    # Distinct whole numbers: a small step never changes who is the largest.
    count = case.batch * case.channels_in * case.size[0] * case.size[1]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(case.seed))
    pictures = order.double().view(case.batch, case.channels_in, *case.size).requires_grad_()
    arguments = (case.kernel, case.stride, case.padding)
    for pool in (loops.max_pool, pooling.max_pool, pooling.avg_pool):
        more = (included,) if pool is pooling.avg_pool else ()
        assert torch.autograd.gradcheck(lambda leaf, pool=pool, more=more: pool(leaf, *arguments, *more), (pictures,))


@pytest.mark.parametrize("pool", [loops.max_pool, pooling.max_pool, pooling.avg_pool])
def test_what_does_not_fit_is_named(monkeypatch, pool):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match=r"padding = \(2, 0\) is not possible: at most half of what a window spans, \(3, 2\)"):
        pool(torch.zeros(1, 1, 5, 5), (3, 2), padding=(2, 0))
    with pytest.raises(BadValue, match=r"pictures = \(5, 5\) is not possible: shape \(batch, channels, height, width\)"):
        pool(torch.zeros(5, 5), 2)
    with pytest.raises(BadValue, match="float32 or float64"):
        pool(torch.zeros(1, 1, 4, 4).long(), 2)
    with pytest.raises(BadValue, match="at least 3 x 3 pixels"):
        pool(torch.zeros(1, 1, 2, 4), 3)
    with pytest.raises(BadValue, match="kernel_size = 0 is not possible"):
        pool(torch.zeros(1, 1, 2, 4), 0)


@both
def test_a_window_that_sees_no_pixel_is_refused(monkeypatch, max_pool):
    monkeypatch.setenv("WIESEL_LANG", "en")
    # The one row lies between the two rows, 2 above and 1 below, that the window looks at.
    with pytest.raises(BadValue, match="the 1 x 9 pixels all fall between the pixels that a window looks at"):
        max_pool(torch.zeros(1, 1, 1, 9), 2, padding=2, dilation=3)


class _Called(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.name())
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("pool", [loops.max_pool, pooling.max_pool, pooling.avg_pool])
def test_torch_s_own_pooling_is_not_called_by_any_name(pool):
    picture = torch.ones(1, 1, 4, 4, requires_grad=True)
    with _Called() as called:
        pool(picture, 3, stride=2, padding=1).sum().backward()
    assert called.names
    assert not [one for one in called.names if any(word in one for word in ("pool", "conv", "im2col", "col2im", "unfold", "pad"))]
