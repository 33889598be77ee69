import math

import pytest
import torch
from torch.nn import functional

from wiesel.errors import BadValue
from wiesel.scratch.algorithms import by_name
from wiesel.scratch.error import measure

SHAPES = pytest.mark.parametrize(
    ("pictures", "weight"),
    [((2, 1, 12, 13), (2, 1, 3, 3)), ((1, 16, 16, 16), (8, 16, 3, 3)), ((1, 64, 9, 8), (4, 64, 3, 3))],
)


@SHAPES
@pytest.mark.parametrize("seed", range(5))
def test_every_algorithm_stays_near_the_unit_of_rounding(pictures, weight, seed):
    for name, error in measure(pictures, weight, padding=1, seed=seed).items():
        assert 0 < error.root_mean_square / error.output < 5e-7, name
        assert error.root_mean_square <= error.largest < 5e-6 * error.output, name


def test_the_numbers_are_the_difference_from_torch_in_float64():
    random = torch.Generator().manual_seed(3)
    pictures, weight = torch.randn(1, 2, 6, 7, generator=random), torch.randn(4, 1, 2, 3, generator=random)
    settings = (2, (1, 0), 1, 2)
    exact = functional.conv2d(pictures.double(), weight.double(), None, *settings)
    found = measure(pictures.shape, weight.shape, *settings, algorithms=("loops", "fft"), seed=3)
    assert list(found) == ["loops", "fft"]
    for name, error in found.items():
        difference = (by_name(name)(pictures, weight, None, *settings).double() - exact).flatten().tolist()
        # The float64 reference has an error of its own, 2^29 times smaller.
        assert error.largest == pytest.approx(max(map(abs, difference)), rel=1e-6)
        assert error.root_mean_square == pytest.approx(math.sqrt(sum(d * d for d in difference) / len(difference)), rel=1e-6)
        assert error.output == pytest.approx(exact.square().mean().sqrt().item(), rel=1e-12)
        assert {type(error.largest), type(error.root_mean_square), type(error.output)} == {float}


def test_a_geometry_that_an_algorithm_cannot_compute_is_refused():
    with pytest.raises(BadValue, match="winograd"):
        measure((1, 1, 8, 8), (1, 1, 5, 5))


def test_the_same_seed_gives_the_same_numbers_and_leaves_torch_s_generator_alone():
    before = torch.get_rng_state()
    assert measure((1, 1, 6, 6), (1, 1, 3, 3), seed=1) == measure((1, 1, 6, 6), (1, 1, 3, 3), seed=1)
    assert measure((1, 1, 6, 6), (1, 1, 3, 3), seed=1) != measure((1, 1, 6, 6), (1, 1, 3, 3), seed=2)
    assert torch.equal(before, torch.get_rng_state())


def test_winograd_is_exact_where_nothing_is_rounded():
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(-9, 10, (2, 3, 7, 8), generator=random).float()
    weight = torch.randint(-9, 10, (4, 3, 3, 3), generator=random).float()
    # Whole numbers, halves and quarters far below 2^24: every sum and product is a float32.
    assert torch.equal(by_name("winograd")(pictures, weight), functional.conv2d(pictures.double(), weight.double()).float())


def test_only_the_fft_carries_a_bright_pixel_s_error_to_the_dark_side():
    random = torch.Generator().manual_seed(0)
    picture, weight = torch.zeros(1, 1, 13, 17), torch.randn(1, 1, 3, 3, generator=random)
    picture[:, :, :4, :4] = torch.randn(1, 1, 4, 4, generator=random) * 1e6
    dark = {name: by_name(name)(picture, weight)[0, 0, 6:, 6:].abs().max().item() for name in ("im2col", "winograd", "fft")}
    assert dark["im2col"] == dark["winograd"] == 0
    assert 1e-3 < dark["fft"] < 1e6 * 1e-5


def test_one_nan_spoils_its_windows_its_tiles_or_everything():
    picture, weight = torch.ones(1, 1, 10, 10), torch.ones(1, 1, 3, 3)
    picture[0, 0, 0, 0] = math.nan
    spoilt = {name: by_name(name)(picture, weight).isnan().sum().item() for name in ("loops", "im2col", "winograd", "fft")}
    assert spoilt == {"loops": 1, "im2col": 1, "winograd": 4, "fft": 64}
