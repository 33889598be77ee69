"""Maps that can be computed by hand, and Captum's maps where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import captum.attr
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.errors import BadValue, ClassOutside, LayerNotFound, NoMap, NoMapAnywhere, NotPartOfScore, WhichCall
from wiesel.explanation import METHODS, choose_layer, explain


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


class InPlace(nn.Module):
    """A residual network whose `+=` and one ReLU, used three times, overwrite what was computed before."""

    def __init__(self, channels: int = 3, classes: int = 5) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 6, 3, padding=1)
        self.conv1 = nn.Conv2d(6, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(6, classes)
        for norm in (self.bn1, self.bn2):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x))
        out = self.bn1(self.conv1(x))
        out += x
        out = self.relu(out)
        out = self.relu(self.bn2(self.conv2(out)))
        return self.head(out.mean((2, 3)))


class OutOfPlace(InPlace):
    """The same numbers, written so that a hook of anybody's sees the truth: a ReLU for each use, nothing overwritten."""

    def __init__(self, other: InPlace) -> None:
        channels, classes = other.stem.in_channels, other.head.out_features
        super().__init__(channels, classes)
        self.load_state_dict(other.state_dict())
        self.relu1, self.relu2, self.relu3, self.sum = nn.ReLU(), nn.ReLU(), nn.ReLU(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.stem(x))
        out = self.relu2(self.sum(self.bn1(self.conv1(x)) + x))
        return self.head(self.relu3(self.bn2(self.conv2(out))).mean((2, 3)))


def picture(channels: int = 3, side: int = 8) -> Tensor:
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_method_explains_grey_and_colour_and_leaves_the_network_as_it_was(method: str, channels: int) -> None:
    network = InPlace(channels).train()
    network.bn1.eval()
    network.conv1.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    given, drawn = picture(channels), torch.random.get_rng_state()
    kept = given.clone()
    found = explain(network, given, 2, method=method)
    assert found.picture.shape == (8, 8)
    assert found.raw.dtype == found.picture.dtype == "float32"
    assert found.target == 2
    assert found.range == (found.raw.min(), found.raw.max())
    assert (found.layer == "") == (found.method in ("occlusion", "integrated_gradients", "smoothgrad", "saliency"))
    assert torch.equal(given, kept)
    assert not given.requires_grad
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [parameter.requires_grad for parameter in network.parameters()].count(False) == 1
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.equal(torch.random.get_rng_state(), drawn)
    with torch.inference_mode():  # whatever the caller switched off
        assert (explain(network, given, 2, method=method).raw == found.raw).all()


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "layercam", "hirescam"])
@pytest.mark.parametrize(("layer", "twin"), [("bn1", None), ("relu@1", "relu1"), ("relu@2", "relu2"), ("relu@3", "relu3")])
def test_maps_are_not_falsified_by_operations_in_place_and_modules_used_again(method: str, layer: str, twin: str | None) -> None:
    network = InPlace()
    found = explain(network, picture(), 1, method=method, layer=layer)
    truth = explain(OutOfPlace(network), picture(), 1, method=method, layer=twin or layer)
    torch.testing.assert_close(torch.from_numpy(found.raw), torch.from_numpy(truth.raw))
    assert found.range != (0, 0)


@pytest.mark.parametrize("layer", ["bn1", "relu2", "sum"])
def test_grad_cam_is_captums(layer: str) -> None:
    network = OutOfPlace(InPlace()).eval()
    theirs = captum.attr.LayerGradCam(network, network.get_submodule(layer)).attribute(picture(), target=4)
    torch.testing.assert_close(torch.from_numpy(explain(network, picture(), 4, layer=layer).raw), theirs[0, 0].detach())


def test_integrated_gradients_are_captums() -> None:
    network = OutOfPlace(InPlace()).eval()
    theirs = captum.attr.IntegratedGradients(network).attribute(picture(), 0.0, target=4, n_steps=20)
    found = explain(network, picture(), 4, method="integrated_gradients", steps=20)
    torch.testing.assert_close(torch.from_numpy(found.raw), theirs[0].sum(0).detach().float())
    with torch.no_grad():
        difference = network(picture())[0, 4] - network(torch.zeros_like(picture()))[0, 4]
    assert found.measured["difference"] == pytest.approx(float(difference), abs=1e-5)
    assert found.measured["gap"] == pytest.approx(float(theirs.sum() - difference), abs=1e-5)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (4, 2), (4, 4), (8, 4)])
def test_occlusion_is_captums(window: int, stride: int) -> None:
    network = OutOfPlace(InPlace()).eval()
    theirs = captum.attr.Occlusion(network).attribute(
        picture(), (3, window, window), strides=(3, stride, stride), baselines=0.5, target=0
    )
    found = explain(network, picture(), 0, method="occlusion", window=window, stride=stride, cover=0.5)
    torch.testing.assert_close(torch.from_numpy(found.picture), theirs[0, 0].float(), atol=1e-5, rtol=1e-5)
    assert found.raw.shape == ((8 - window) // stride + 1,) * 2


def test_saliency_is_captums() -> None:
    network = OutOfPlace(InPlace()).eval()
    theirs = captum.attr.Saliency(network).attribute(picture().requires_grad_(), target=3)
    found = explain(network, picture(), 3, method="saliency")
    torch.testing.assert_close(torch.from_numpy(found.raw), theirs[0].amax(0))
    without_noise = explain(network, picture(), 3, method="smoothgrad", noise=0.0, samples=20)
    torch.testing.assert_close(torch.from_numpy(without_noise.raw), theirs[0].amax(0))


def test_the_parts_of_a_linear_model_are_weight_times_pixel() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5))
    weights = network[1].weight.detach()[2].view(3, 8, 8)
    for steps in (1, 7):
        found = explain(network, picture(), 2, method="integrated_gradients", steps=steps)
        torch.testing.assert_close(torch.from_numpy(found.raw), (weights * picture()[0]).sum(0))
        assert abs(found.measured["gap"]) < 1e-5
    covered = explain(network, picture(), 2, method="occlusion", window=1, stride=1)
    torch.testing.assert_close(torch.from_numpy(covered.raw), (weights * picture()[0]).sum(0), atol=1e-5, rtol=1e-4)
    smooth = explain(network, picture(), 2, method="smoothgrad")
    torch.testing.assert_close(torch.from_numpy(smooth.raw), weights.abs().amax(0))


def test_before_a_mean_and_a_linear_layer_grad_cam_is_cam() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    maps = F.relu(F.conv2d(picture(), network[0].weight, network[0].bias))[0].detach()
    cam = torch.einsum("k,khw->hw", network[4].weight[3].detach(), maps)
    gradcam, hirescam, layercam = (explain(network, picture(), 3, method=m) for m in ("gradcam", "hirescam", "layercam"))
    assert (gradcam.layer, gradcam.raw.shape) == ("1", (6, 6))
    torch.testing.assert_close(torch.from_numpy(gradcam.raw), cam / 36)  # every gradient is w / 36
    torch.testing.assert_close(torch.from_numpy(hirescam.raw), cam / 36)
    assert hirescam.raw.sum() == pytest.approx(gradcam.score - float(network[4].bias[3].detach()), abs=1e-5)
    positive = torch.einsum("k,khw->hw", network[4].weight[3].detach().clamp(min=0), maps) / 36
    torch.testing.assert_close(torch.from_numpy(layercam.raw), positive)


def test_grad_cam_plus_plus_is_the_papers_formula_term_by_term() -> None:
    network = OutOfPlace(InPlace()).eval()
    maps = (
        network.relu2(network.sum(network.bn1(network.conv1(x := network.relu1(network.stem(picture())))) + x))
        .detach()
        .requires_grad_()
    )
    score = network.head(network.relu3(network.bn2(network.conv2(maps))).mean((2, 3)))[0, 0]
    g, a = torch.autograd.grad(score, maps)[0][0].tolist(), maps[0].tolist()
    expected = torch.zeros(8, 8, dtype=torch.float64)
    for k in range(6):
        total, weight = sum(map(sum, a[k])), 0.0
        for i in range(8):
            for j in range(8):
                below = 2 * g[k][i][j] ** 2 + total * g[k][i][j] ** 3
                weight += (g[k][i][j] ** 2 / below if below else 0.0) * max(g[k][i][j], 0.0)
        expected += weight * torch.tensor(a[k], dtype=torch.float64)
    found = explain(network, picture(), 0, method="gradcam++", layer="relu2")
    torch.testing.assert_close(torch.from_numpy(found.raw).double(), expected, rtol=1e-4, atol=1e-6)


def test_where_nothing_speaks_for_the_class_it_is_said() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.fill_(1)
        network[4].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    grey = torch.rand(1, 1, 4, 4)
    good, bad = explain(network, grey, 0), explain(network, grey, 1)
    assert good.has_positive_evidence
    assert good.remarks == ()
    assert not bad.has_positive_evidence
    assert bad.range[0] < bad.range[1] < 0  # the values are kept
    assert "No positive evidence" in bad.remarks[0]
    assert not bad.positive.any()
    assert bad.to_json()["has_positive_evidence"] is False


def test_an_enlarged_map_says_how_and_stays_within_its_range() -> None:
    found = explain(InPlace(), picture(), 0)
    assert found.raw.shape == (4, 4)
    assert found.interpolation == "bilinear, from 4 x 4 cells to 8 x 8 pixels"
    assert found.raw.min() <= found.picture.min() <= found.picture.max() <= found.raw.max()


class Functional(nn.Module):
    """Its last map is made by a function outside of every module, its side head makes one that the score does not see."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.side, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.conv(x))
        self.side(out)
        return self.head(out.mean((2, 3)))


def test_the_default_layer_is_the_last_map_and_says_why() -> None:
    last = choose_layer(InPlace(), picture())
    assert (last.name, last.shape) == ("relu@3", (6, 4, 4))
    assert "still a map" in last.reason
    functional = choose_layer(Functional(), picture())
    assert functional.name == "conv"
    assert "(relu)" in functional.reason
    tokens = nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.Flatten(2), nn.Unflatten(1, (2, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    assert choose_layer(tokens, picture()).name == "0"  # (1, 2, 2, 16) after it are heads and tokens, no places
    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 6), nn.Flatten(), nn.Linear(4, 2))
    assert choose_layer(small, picture()).name == "0"  # the second puts out a single cell


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda: explain(InPlace(), picture(), layer="con1"), LayerNotFound, "conv1"),
        (lambda: explain(InPlace(), picture(), layer="head"), NoMap, "1 x 5"),
        (lambda: explain(InPlace(), picture(), layer="relu"), WhichCall, "relu@3"),
        (lambda: explain(InPlace(), picture(), layer="relu@4"), WhichCall, "3 times"),
        (lambda: explain(InPlace(), picture(), 5), ClassOutside, "no class 5: the network has 5, numbered 0 to 4"),
        (lambda: explain(InPlace(), picture(), -1, method="occlusion"), ClassOutside, "-1"),
        (lambda: explain(InPlace(), picture(), method="grad"), BadValue, "hirescam"),
        (lambda: explain(InPlace(), picture(), method="saliency", layer="conv1"), BadValue, "layer"),
        (lambda: explain(InPlace(), picture().expand(2, -1, -1, -1)), BadValue, "(1, C, H, W)"),
        (lambda: explain(InPlace(), picture(), method="occlusion", window=9), BadValue, "1..8"),
        (lambda: explain(Functional(), picture(), layer="side"), NotPartOfScore, "side"),
        (lambda: explain(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), picture()), NoMapAnywhere, "occlusion"),
    ],
)
def test_mistakes_are_named(ask: Callable[[], object], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        ask()
    assert said in str(caught.value)


def test_a_frozen_network_has_maps_too() -> None:
    network = InPlace()
    truth = explain(network, picture(), 1)
    network.requires_grad_(False)
    assert (explain(network, picture(), 1).raw == truth.raw).all()
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_squares_of_an_occlusion_reach_every_edge() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    found = explain(network, picture(), 0, method="occlusion", window=3, stride=2)
    assert found.raw.shape == (4, 4)  # at 0, 2, 4 and, at the edge, 5
    last = network[1].weight.detach()[0].view(3, 8, 8)[:, 5:, 5:] * picture()[0][:, 5:, 5:]
    assert found.raw[3, 3] == pytest.approx(float(last.sum()), abs=1e-5)
