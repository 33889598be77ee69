"""Feature maps, pooling, Inception branches beside wavelets: the maps are the network's, the scales are told."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import teaching, zoo
from wiesel.batches import Preprocessing
from wiesel.errors import BadValue, LayerNotFound, NoMap, TeachingLibraryMissing
from wiesel.teaching.pooling import mean_change, moved, pooled
from wiesel.teaching.wavelets import octaves, wavelet_levels
from wiesel.zoo.googlenet import InceptionModule

NAMES = ["conv1", "layer1_0", "layer1_1", "layer2_0", "layer2_1", "layer3_0", "layer3_1", "layer4_0", "layer4_1"]


class TextbookBlock(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, stride=stride), nn.BatchNorm2d(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return functional.relu(out)


class TextbookResNet(nn.Module):
    """The ResNet-18 of the chapter, narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        for number, (narrow, wide, stride) in enumerate([(4, 4, 1), (4, 8, 2), (8, 16, 2), (16, 32, 2)], start=1):
            setattr(self, f"layer{number}", nn.Sequential(TextbookBlock(narrow, wide, stride), TextbookBlock(wide, wide, 1)))
        self.linear = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        for number in range(1, 5):
            out = getattr(self, f"layer{number}")(out)
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))


@pytest.fixture(scope="module")
def network() -> TextbookResNet:
    torch.manual_seed(0)
    return TextbookResNet()


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(1))


def test_the_chapters_names_come_out_whoever_wrote_the_network(network: TextbookResNet, image: Tensor) -> None:
    assert list(teaching.feature_maps(network, image, names="torchvision")) == NAMES
    ours = teaching.feature_maps(zoo.build("resnet18", size=16), image, names="torchvision")
    assert list(ours) == NAMES
    assert [tuple(maps.shape[1:]) for maps in ours.values()][-1] == (512, 2, 2)


def test_the_maps_are_those_of_the_hooks_and_before_the_addition_those_of_a_recomputation(
    network: TextbookResNet, image: Tensor
) -> None:
    found = teaching.feature_maps(network, image, layers=["layer1.0.bn2", "layer1.0"])
    network.eval()
    block = network.layer1[0]  # type: ignore[index]
    with torch.no_grad():
        x = functional.relu(network.bn1(network.conv1(image[None])))
        hidden = functional.relu(block.bn1(block.conv1(x)))
        norm = block.bn2
        branch = functional.conv2d(hidden, block.conv2.weight, block.conv2.bias, padding=1)
        branch = (branch - norm.running_mean[:, None, None]) / torch.sqrt(norm.running_var[:, None, None] + norm.eps)
        branch = branch * norm.weight[:, None, None] + norm.bias[:, None, None]
    for channel in range(4):
        torch.testing.assert_close(found["layer1.0.bn2"][:, channel], branch[:, channel])
    torch.testing.assert_close(found["layer1.0"], (branch + x).clamp(min=0))
    network.train()


def test_a_row_has_one_scale_with_zero_where_it_belongs(network: TextbookResNet, image: Tensor) -> None:
    sheet = teaching.visualize_features(network, image, channels=3, language="en")
    maps = teaching.feature_maps(network, image)
    pictures = [axes.images[0] for axes in sheet.axes if axes.images]
    assert len(pictures) == 1 + 3 * len(NAMES)
    first = maps["conv1"]
    span = float(first.abs().max())
    assert all(drawn.get_clim() == pytest.approx((-span, span)) for drawn in pictures[1:4]), "signed"
    last = float(maps["layer4.1"].max())
    assert all(drawn.get_clim() == pytest.approx((0, last)) for drawn in pictures[-3:]), "never negative"
    spread = first[0].flatten(1).std(dim=1, correction=0)
    assert [int(axes.get_title()) for axes in sheet.axes if axes.get_title()][:3] == spread.argsort(descending=True)[:3].tolist()
    assert "4 × 16 × 16" in sheet.alt_text
    assert "32 × 2 × 2" in sheet.alt_text
    assert "vary most" in sheet._supxlabel.get_text()


def test_dead_channels_are_counted_and_drawn_dark(image: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 49, 2))
    with torch.no_grad():
        network[0].bias.copy_(torch.tensor([-100.0, 1.0, 1.0]))
    sheet = teaching.visualize_features(network, image, layers=["1"], choose="first", language="en")
    assert "1 of 3 channels are constant" in sheet.alt_text
    dead = [axes.images[0] for axes in sheet.axes if axes.images][1]
    assert float(dead.get_array().max()) == 0
    assert dead.get_clim()[1] > 0
    pool = teaching.feature_maps(network, image, layers="pooling")
    assert {name: tuple(maps.shape) for name, maps in pool.items()} == {"2": (1, 3, 7, 7)}
    german = teaching.visualize_features(network, image, layers="1", language="de")
    assert any("Nullen" in text.get_text() for axes in german.axes for text in axes.texts)


def test_pictures_go_into_a_bare_network_as_they_are() -> None:
    network = zoo.build("simple_cnn", channels=3)
    maps = teaching.feature_maps(network, np.full((8, 8, 3), 255, dtype=np.uint8), layers=["features.stage1.conv"])
    torch.testing.assert_close(maps["stage1.conv"], network.features.stage1.conv(torch.ones(1, 3, 8, 8)).detach())  # type: ignore[union-attr]


def test_what_is_no_map_is_refused(network: TextbookResNet, image: Tensor) -> None:
    with pytest.raises(NoMap):
        teaching.feature_maps(network, image, layers=["linear"])
    with pytest.raises(LayerNotFound):
        teaching.feature_maps(network, image, layers="layer9")
    with pytest.raises(BadValue):
        teaching.visualize_features(network, image, choose="best")
    with pytest.raises(BadValue):
        teaching.visualize_features(network, image, channels=0)


# --- pooling -----------------------------------------------------------------------------------------------------------------


def test_pooling_agrees_with_pytorch_and_with_the_chapters_six_by_six() -> None:
    table = np.arange(1.0, 37.0).reshape(6, 6)
    tensor = torch.from_numpy(table)[None, None]
    assert (
        pooled(table, "max").tolist()
        == functional.max_pool2d(tensor, 2)[0, 0].tolist()
        == [[8, 10, 12], [20, 22, 24], [32, 34, 36]]
    )
    assert pooled(table, "mean").tolist() == functional.avg_pool2d(tensor, 2)[0, 0].tolist()
    assert pooled(table, "stride").tolist() == table[::2, ::2].tolist()
    assert moved(table, "max").tolist() == [[1, 1], [1, 1], [1, 1]]
    assert mean_change(table, "stride") == 1
    with pytest.raises(BadValue):
        pooled(table, "max", 7)


def test_stripes_show_what_a_stride_does_not_see() -> None:
    stripes = np.tile([0.0, 0.0, 1.0, 1.0], (8, 4))
    assert not moved(stripes, "stride").any(), "every second step changes nothing"
    assert mean_change(stripes, "stride") == 0.5
    noise = np.random.default_rng(0).random((16, 16))
    assert mean_change(noise, "stride") > mean_change(noise, "max") > 0
    assert mean_change(noise, "stride") > mean_change(noise, "mean") > 0


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_pooling_figure_tells_who_changes_least(language: str) -> None:
    sheet = teaching.compare_pooling(size=32, language=language)
    assert ("heller" in sheet.alt_text) == (language == "de")
    assert len([axes for axes in sheet.axes if axes.images]) == 7


# --- Inception and wavelets --------------------------------------------------------------------------------------------------


def test_the_chapters_module_has_256_maps() -> None:
    branches = teaching.inception_branches(size=28)
    assert {name: tuple(maps.shape) for name, maps in branches.items()} == {
        "branch1x1": (1, 64, 28, 28),
        "branch3x3": (1, 128, 28, 28),
        "branch5x5": (1, 32, 28, 28),
        "branch_pool": (1, 32, 28, 28),
        "output": (1, 256, 28, 28),
    }


def test_the_levels_of_a_wavelet_transform_add_up_and_share_the_energy() -> None:
    pytest.importorskip("pywt")
    grey = np.random.default_rng(0).random((64, 64))
    for wavelet in ("haar", "db3"):
        parts, error = wavelet_levels(grey, wavelet)
        assert len(parts) == 4
        assert error < 1e-12
        np.testing.assert_allclose(sum(parts), grey, atol=1e-12)
        products = [[float((one * other).sum()) for other in parts] for one in parts]
        np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-8, err_msg="orthogonal")
    means = grey.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(wavelet_levels(grey, "haar")[0][0], grey - np.kron(means, np.ones((2, 2))), atol=1e-12)
    with pytest.raises(BadValue):
        wavelet_levels(grey, "ripple")
    with pytest.raises(BadValue):
        wavelet_levels(grey[:32], "db3")


@pytest.mark.parametrize(("period", "band"), [(2, 0), (3, 0), (5, 1), (10, 2), (32, 3)])
def test_a_wave_lies_in_its_octave(period: int, band: int) -> None:
    wave = np.cos(2 * np.pi * np.arange(960) / period)
    shares = octaves(np.tile(wave, (1, 960, 1)) + 7.0)
    assert shares[band] == pytest.approx(1)
    assert shares.sum() == pytest.approx(1)


def test_the_figure_puts_both_side_by_side_and_works_inside_a_network() -> None:
    pytest.importorskip("pywt")
    sheet = teaching.inception_and_wavelets(size=32, language="de")
    assert "Zweige überlappen" in sheet.alt_text
    inside = nn.Sequential(nn.Conv2d(1, 5, 1), InceptionModule(5, 2, 2, 2, 2, 2, 2))
    found = teaching.inception_branches(size=16, network=inside)
    assert found["output"].shape == (1, 8, 16, 16)
    with pytest.raises(BadValue):
        teaching.inception_branches(size=16, network=nn.Conv2d(1, 1, 1))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(TeachingLibraryMissing, match=r"wiesel\[teaching\]"):
        teaching.inception_and_wavelets(size=32)
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(TeachingLibraryMissing, match="scikit-learn"):
        teaching.four_kernels()


def test_a_trained_network_gets_the_picture_prepared_as_in_training() -> None:
    preparation = Preprocessing(channels=1, height=12, width=12, mean=(0.25,), std=(0.5,))
    model = SimpleNamespace(network=nn.Sequential(nn.Conv2d(1, 1, 1, bias=False)), preprocessing=preparation)
    nn.init.ones_(model.network[0].weight)
    maps = teaching.feature_maps(model, np.full((30, 40), 255, dtype=np.uint8))
    assert maps["0"].shape == (1, 1, 12, 12)
    torch.testing.assert_close(maps["0"], torch.full((1, 1, 12, 12), 1.5))
