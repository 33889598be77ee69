"""One contract, asked of all four algorithms; the oracles are torch's convolution and finite differences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from tests.scratch.geometries import convolutions
from wiesel.errors import BadValue
from wiesel.scratch.algorithms import ALGORITHMS, by_name

every = pytest.mark.parametrize("name", ALGORITHMS)
any_geometry = pytest.mark.parametrize("name", ["loops", "im2col", "fft"])
few = settings(max_examples=20)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def close(found, expected, dtype):
    """Relative to the largest number, as the FFT's rounding does not shrink where the result does, and to the inputs, which are near 1."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    scale = max(expected.abs().max().item(), 1.0)
    assert (found - expected).abs().max().item() <= TOLERANCE[dtype] * scale


def same_as_torch(name, case, dtype):
    pictures, weight, bias = case.tensors(dtype)
    found = by_name(name)(pictures, weight, bias, *case.settings)
    expected = functional.conv2d(pictures, weight, bias, *case.settings)
    close(found, expected, dtype)
    leaves = [leaf for leaf in (pictures, weight, bias) if leaf is not None]
    slope = torch.randn(expected.shape, dtype=dtype, generator=torch.Generator().manual_seed(case.seed + 1))
    for mine, theirs in zip(torch.autograd.grad(found, leaves, slope), torch.autograd.grad(expected, leaves, slope), strict=True):
        close(mine, theirs, dtype)


@any_geometry
@few
@given(case=convolutions(), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_any_geometry_forward_and_backward_as_in_torch(name, case, dtype):
    same_as_torch(name, case, dtype)


@few
@given(case=convolutions(only_3x3=True), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_winograd_forward_and_backward_as_in_torch(case, dtype):
    same_as_torch("winograd", case, dtype)


@every
@settings(max_examples=4)
@given(data=st.data())
def test_the_backward_pass_agrees_with_finite_differences(name, data):
    case = data.draw(convolutions(only_3x3=name == "winograd"))
    assert torch.autograd.gradcheck(lambda *tensors: by_name(name)(*tensors, *case.settings), case.tensors(torch.float64))


@every
def test_the_six_by_six_picture_of_the_text(name):
    picture = torch.arange(1.0, 37).reshape(1, 1, 6, 6)
    weight = torch.stack([torch.ones(1, 3, 3), torch.zeros(1, 3, 3)])
    weight[1, 0, 1, 2] = 1  # the right neighbour
    found = by_name(name)(picture, weight, torch.tensor([0.0, 100.0]), padding=1)
    assert found.shape == (1, 2, 6, 6)
    # By hand: 1 + 2 + 7 + 8 in the corner, nine times the middle one inside, 29 + 30 + 35 + 36 in the last corner.
    assert found[0, 0, 0, 0].item() == pytest.approx(18, abs=1e-4)
    assert found[0, 0, 2, 3].item() == pytest.approx(9 * 16, abs=1e-4)
    assert found[0, 0, 5, 5].item() == pytest.approx(130, abs=1e-4)
    torch.testing.assert_close(found[0, 1, 1], torch.tensor([108.0, 109, 110, 111, 112, 100]))


@every
def test_the_kernel_is_not_turned_around(name):
    picture, weight = torch.zeros(1, 1, 5, 5), torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    picture[0, 0, 2, 2] = 1
    # One bright pixel shows the kernel turned by half a turn, which tells cross-correlation from convolution.
    torch.testing.assert_close(by_name(name)(picture, weight)[0, 0], weight[0, 0].flip(0, 1), rtol=0, atol=1e-5)


@every
def test_frozen_weights_and_pictures_without_slopes_cost_and_break_nothing(name):
    random = torch.Generator().manual_seed(0)
    pictures, weight, bias = (torch.randn(shape, generator=random) for shape in ((1, 2, 4, 5), (3, 2, 3, 3), (3,)))
    expected = functional.conv2d(pictures, weight, bias, padding=1)
    for wanted in range(3):
        leaves = [pictures.clone(), weight.clone(), bias.clone()]
        leaves[wanted].requires_grad_()
        by_name(name)(*leaves, padding=1).sum().backward()
        assert [leaf.grad is not None for leaf in leaves] == [wanted == place for place in range(3)]
    with torch.inference_mode():
        torch.testing.assert_close(by_name(name)(pictures, weight, bias, padding=1), expected, rtol=1e-4, atol=1e-5)


@every
@pytest.mark.parametrize("padding", [0, 1])
def test_the_order_of_the_pixels_in_memory_does_not_matter(name, padding):
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 3, 3, 3, generator=random)
    stored = torch.randn(3, 12, 9, 2, generator=random)
    pictures = stored.permute(3, 0, 2, 1)[..., 1::2]  # transposed, every second column, not starting at the first
    assert not pictures.is_contiguous()
    for layout in (pictures, pictures.contiguous(memory_format=torch.channels_last), pictures[:1].expand(2, 3, 9, 6)):
        for kernel in (weight, weight.contiguous(memory_format=torch.channels_last)):
            expected = functional.conv2d(layout, kernel, padding=padding)
            torch.testing.assert_close(by_name(name)(layout, kernel, padding=padding), expected, rtol=1e-4, atol=1e-5)
            assert by_name(name)(layout, kernel, padding=padding).is_contiguous()


@every
def test_no_picture_is_no_output(name):
    weight = torch.zeros(4, 1, 3, 3, requires_grad=True)
    output = by_name(name)(torch.zeros(0, 2, 6, 5), weight, groups=2)
    assert output.shape == (0, 4, 4, 3)
    output.sum().backward()
    assert torch.equal(weight.grad, torch.zeros(4, 1, 3, 3))


@every
def test_the_inputs_stay_as_they_were(name):
    pictures, weight, bias = torch.ones(1, 1, 4, 4, requires_grad=True), torch.ones(1, 1, 3, 3, requires_grad=True), torch.ones(1)
    by_name(name)(pictures, weight, bias, padding=1).sum().backward()
    assert all(bool((tensor == 1).all()) for tensor in (pictures, weight, bias))


@every
def test_a_second_derivative_is_refused_and_not_wrong(name):
    weight = torch.ones(1, 1, 3, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(by_name(name)(torch.ones(1, 1, 4, 4), weight).square().sum(), weight, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


class _Called(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.name())
        return operation(*args, **(kwargs or {}))


@every
def test_torch_s_own_convolution_is_not_called_by_any_name(name):
    pictures, weight = torch.ones(1, 2, 5, 5, requires_grad=True), torch.ones(2, 1, 3, 3, requires_grad=True)
    with _Called() as called:
        by_name(name)(pictures, weight, padding=1, groups=2).sum().backward()
    assert called.names
    assert not [one for one in called.names if any(word in one for word in ("conv", "im2col", "col2im", "unfold", "pad", "pool"))]


@pytest.mark.parametrize(
    ("shapes", "groups", "setting", "sentence"),
    [
        (((2, 3, 5), (4, 3, 3, 3), (4,)), 1, "pictures", "shape (batch, channels, height, width)"),
        (((1, 3, 5, 5), (4, 3, 3), (4,)), 1, "weight", "shape (channels out, channels in / groups, height, width)"),
        (((1, 2, 5, 5), (4, 3, 3, 3), (4,)), 1, "pictures", "3 channels, from the weight's 3 and groups = 1"),
        (((1, 4, 5, 5), (3, 2, 3, 3), (3,)), 2, "groups", "divides the channels in (4) and the channels out (3)"),
        (((1, 3, 5, 5), (4, 3, 3, 3), (3,)), 1, "bias", "4 numbers, one per channel out"),
        (((1, 3, 2, 5), (4, 3, 3, 3), (4,)), 1, "size", "at least 3 x 3 pixels"),
    ],
)
@every
def test_what_does_not_fit_is_named(monkeypatch, name, shapes, groups, setting, sentence):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue) as caught:
        by_name(name)(*(torch.zeros(shape) for shape in shapes), groups=groups)
    assert caught.value.setting == setting
    assert sentence in str(caught.value)


@every
def test_kinds_of_numbers_are_not_mixed(monkeypatch, name):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match=r"weight = 'torch.float64, cpu' is not possible: torch.float32 on cpu"):
        by_name(name)(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 3, 3, dtype=torch.float64))
    with pytest.raises(BadValue, match=r"pictures = 'torch.int64' is not possible: float32 or float64"):
        by_name(name)(torch.zeros(1, 1, 4, 4).long(), torch.zeros(1, 1, 3, 3).long())


def test_an_unknown_algorithm_is_answered_with_all_names(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(BadValue, match="algorithm = 'gemm' ist nicht möglich: eines von 'loops', 'im2col', 'fft', 'winograd'"):
        by_name("gemm")


@pytest.mark.parametrize(("kernel", "more"), [((5, 5), {}), ((3, 1), {}), ((3, 3), {"stride": 2}), ((3, 3), {"dilation": (1, 2)})])
def test_winograd_refuses_other_geometries_with_a_sentence(monkeypatch, kernel, more):
    pictures, weight = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, *kernel)
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(
        BadValue, match="'winograd' is for 3 x 3 kernels with stride 1 and dilation 1; 'im2col' and 'fft' take every"
    ):
        by_name("winograd")(pictures, weight, **more)
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(BadValue, match="'im2col' und 'fft' nehmen jede Geometrie"):
        by_name("winograd")(pictures, weight, **more)
