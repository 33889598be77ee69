import pytest
import torch

from wiesel import zoo
from wiesel.errors import PictureTooSmall, UsageError


@pytest.mark.parametrize("name", ["lenet5", "vgg11"])
def test_too_small_a_picture_is_refused_with_the_smallest_size_that_works(name, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(name, size=64)
        for shape in ((31, 40), (40, 31)):
            with pytest.raises(PictureTooSmall) as caught:
                network(torch.zeros(1, 1, *shape))
            assert str(caught.value).startswith(
                f"{shape[0]} x {shape[1]} pixels are too few for this network: it needs at least 32 x 32."
            )
        assert isinstance(caught.value, UsageError)
        assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 10)
        with pytest.raises(RuntimeError):  # the size named is the smallest indeed: one pixel less has no last map
            network.features(torch.zeros(1, 1, 31, 32))


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("alexnet", 63),
        ("alexnet2012", 67),
        ("inception_v3", 75),
        ("inception_v4", 75),
        ("inception_resnet_v2", 75),
        ("xception", 7),
    ],
)
def test_a_network_for_large_pictures_only_is_not_built_for_smaller_ones(name, side, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with torch.device("meta"), torch.no_grad():
        for size in ((side - 1, 300), (300, side - 1)):
            with pytest.raises(PictureTooSmall, match=f"too few for this network: it needs at least {side} x {side}\\."):
                zoo.build(name, size=size)
        network = zoo.build(name, size=side).eval()
        assert network(torch.zeros(1, 1, side, side)).shape == (1, 10)
        for shape in ((side - 1, side), (side, side - 1)):  # one pixel less has no last map
            with pytest.raises(RuntimeError):
                network.features(torch.zeros(1, 1, *shape))


def test_the_sentence_exists_in_german(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "de")
    error = PictureTooSmall(height=8, width=9, needed_height=32, needed_width=30)
    assert str(error).startswith("8 x 9 Pixel sind zu wenig für dieses Netz: es braucht mindestens 32 x 30.")


@pytest.mark.parametrize("name", ["lenet5", "vgg11", "resnet18", "resnet20", "simple_cnn"])
def test_a_network_built_for_a_size_takes_that_size(name):
    with torch.device("meta"), torch.no_grad():
        for side in (1, 20, 63, 64):
            network = zoo.build(name, size=side).eval()
            assert max(network.smallest) <= side
            assert network(torch.zeros(2, 1, *network.smallest)).shape == (2, 10)


def test_the_check_of_the_size_does_not_disturb_a_tracer():
    network = zoo.build("lenet5").eval()
    traced = torch.fx.symbolic_trace(network)
    picture = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(traced(picture), network(picture))
