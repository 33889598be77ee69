"""Statements of two teaching texts that do not hold, each with the computation that shows it; docs/texts.md lists them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.signal import convolve2d, correlate2d
from torch import Tensor, nn

from wiesel import zoo
from wiesel.analysis import cost, stages
from wiesel.analysis.tape import record
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.jobs import chapter
from wiesel.scratch.geometry import output_size
from wiesel.teaching.frequency import frequency_response
from wiesel.teaching.kernels import SOBEL_X, gaussian


def on_paper(name: str, **options: object) -> nn.Module:
    """A network without memory, for counting."""
    row = zoo.find(name)
    with torch.device("meta"):
        return zoo.build(name, classes=row.classes, channels=row.input[0], **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def claims() -> list[chapter.Claim]:
    return chapter.table()


def test_ten_of_thirty_two_numbers_are_off(claims: list[chapter.Claim]) -> None:
    assert (len(claims), sum(not claim.right for claim in claims)) == (32, 10)


def test_the_column_counts_multiply_adds(claims: list[chapter.Claim]) -> None:
    for claim in claims:
        if claim.column == "billion multiply-adds":
            assert claim.here is not None
            assert float(claim.chapter) == pytest.approx(claim.here, rel=0.06)  # and not 2 * here


def test_the_size_needs_its_floor() -> None:
    assert (32 - 3) / 2 + 1 == 15.5
    assert nn.Conv2d(1, 1, 3, stride=2)(torch.zeros(1, 1, 32, 32)).shape[2] == output_size(32, 3, 2)[0] == 15


def test_layers_do_not_flip_the_kernel() -> None:
    picture = np.random.default_rng(0).random((9, 9))
    layer = nn.functional.conv2d(torch.tensor(picture)[None, None], torch.tensor(SOBEL_X)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(layer, correlate2d(picture, SOBEL_X, mode="valid"), atol=1e-12)
    np.testing.assert_allclose(layer, -convolve2d(picture, SOBEL_X, mode="valid"), atol=1e-12)


def test_the_drawn_phase_counts_from_the_corner() -> None:
    kernel = gaussian(3, 1.0)
    cornered = np.angle(np.fft.fft2(kernel, s=(256, 256)))
    centred = frequency_response(kernel).phase
    assert np.ptp(cornered) > 6
    assert np.nanmax(np.minimum(np.abs(centred), np.pi - np.abs(centred))) < 1e-9


def test_one_by_one_prefers_no_frequency() -> None:
    assert np.ptp(frequency_response([[0.3]]).magnitude) < 1e-15


def test_a_density_kernel_has_area_one() -> None:
    x = np.linspace(-8, 8, 2001)
    hill = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    assert trapezoid(hill, x) == pytest.approx(1)
    assert hill.max() == pytest.approx(0.399, abs=1e-3)


def test_pooling_does_not_make_independent_of_place() -> None:
    torch.manual_seed(0)
    features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    picture = torch.randn(1, 1, 16, 16)
    with torch.no_grad():
        there, moved = features(picture), features(torch.roll(picture, 1, 3))
    assert float((moved - there).norm() / there.norm()) > 0.1


class Biased(nn.Module):
    """The chapter's basic block, convolutions with bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def test_a_bias_before_batch_norm_learns_nothing() -> None:
    torch.manual_seed(0)
    block = Biased().double()
    pictures = torch.randn(8, 4, 6, 6, dtype=torch.float64)
    nn.functional.cross_entropy(torch.relu(block(pictures)).amax((2, 3)), torch.arange(8) % 4).backward()
    assert block.conv.bias is not None
    assert float(block.conv.weight.grad.abs().max()) > 1e-4  # type: ignore[union-attr]
    assert float(block.conv.bias.grad.abs().max()) < 1e-12  # type: ignore[union-attr]
    convolutions = [layer for layer in on_paper("resnet18").modules() if isinstance(layer, nn.Conv2d)]
    assert sum(layer.out_channels for layer in convolutions) == 4_800


def test_the_bottleneck_saves_only_at_equal_width() -> None:
    def weights(*shapes: tuple[int, int, int]) -> int:
        return sum(nn.Conv2d(a, b, k, bias=False).weight.numel() for a, b, k in shapes)

    bottleneck = weights((256, 64, 1), (64, 64, 3), (64, 256, 1))
    wide, narrow = weights((256, 256, 3), (256, 256, 3)), weights((64, 64, 3), (64, 64, 3))
    assert wide / bottleneck > 16
    assert 0.9 < bottleneck / narrow < 1.1


def test_shortcuts_feed_forward() -> None:
    tape = record(on_paper("resnet18"), (3, 64, 64))
    assert all(
        max(operation.inputs) < min(operation.outputs) for operation in tape.operations if operation.inputs and operation.outputs
    )
    calls = [call.module for call in tape.calls if call.module.count("block") and call.module.endswith(("block1", "block2"))]
    assert len(calls) == len(set(calls)) == 8


def test_inception_v3_has_an_auxiliary_head() -> None:
    counts = {}
    for name in ("inception_v3", "googlenet"):
        with_heads, without = on_paper(name, auxiliary=True), on_paper(name)
        extra = {key for key, _ in with_heads.named_modules()} - {key for key, _ in without.named_modules()}
        counts[name] = sum(isinstance(with_heads.get_submodule(key), nn.Linear) for key in extra)
    assert counts == {"inception_v3": 1, "googlenet": 4}  # each head of v1 has two linear layers


def test_label_smoothing_is_no_noise() -> None:
    logits, label = torch.randn(1, 10, generator=torch.Generator().manual_seed(0)), torch.tensor([3])
    first, second = (nn.functional.cross_entropy(logits, label, label_smoothing=0.1) for _ in range(2))
    mixture = torch.full((1, 10), 0.01) + 0.9 * nn.functional.one_hot(label, 10)
    assert first == second
    assert float(first) == pytest.approx(float(-(mixture * logits.log_softmax(1)).sum()), rel=1e-6)


def test_expansion_makes_the_block_dearer() -> None:
    def macs(expansion: int) -> int:
        inner = 32 * expansion
        block = nn.Sequential(nn.Conv2d(32, inner, 1), nn.Conv2d(inner, inner, 3, padding=1, groups=inner), nn.Conv2d(inner, 32, 1))
        return cost(block, (32, 14, 14)).macs

    assert macs(6) > 5 * macs(1)


def test_b0_has_other_blocks() -> None:
    network = on_paper("efficientnet_b0")
    depthwise = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    assert {layer.kernel_size[0] for layer in depthwise} == {3, 5}
    assert depthwise[0].in_channels == 32  # as many as come in: no expansion
    kinds = {type(layer) for layer in network.modules()}
    assert nn.SiLU in kinds
    assert nn.ReLU6 not in kinds
    assert SqueezeExcite in kinds


def test_with_batch_norm_nothing_vanishes() -> None:
    torch.manual_seed(0)
    network = zoo.build("plain56:width=0.25", classes=10, channels=1, size=8)
    kept: list[Tensor] = []
    for part in ("features.stem", "features.stage3"):
        network.get_submodule(part).register_forward_hook(lambda _l, _i, output: (output.retain_grad(), kept.append(output))[0])
    nn.functional.cross_entropy(network(torch.randn(16, 1, 8, 8)), torch.arange(16) % 10).backward()
    entrance, leaving = (float(output.grad.norm()) for output in kept if output.grad is not None)
    assert entrance > leaving  # it arrives, even larger


def test_the_parameters_of_vgg_are_in_three_layers() -> None:
    table = cost(on_paper("vgg16"), (3, 224, 224))
    connected = [layer.parameters for layer in table.layers if layer.type == "Linear"]
    assert len(connected) == 3
    assert 0.89 < sum(connected) / table.parameters < 0.9
    deep = sum(parameter.numel() for parameter in on_paper("resnet152").parameters())
    assert deep < table.parameters / 2


def test_projections_have_parameters() -> None:
    network = on_paper("resnet18")
    blocks = [block for stage in stages(network, (3, 224, 224)) for block in stage.blocks]
    projected = [block.name for block in blocks if block.skip == "projection"]
    count = sum(parameter.numel() for name in projected for parameter in network.get_submodule(name).shortcut.parameters())  # type: ignore[union-attr, operator]
    assert (len(blocks), len(projected), count) == (8, 3, 173_824)


def test_the_first_layers_are_left_behind() -> None:
    torch.manual_seed(0)
    network = zoo.build("plain20:norm=off,activation=sigmoid", classes=10, channels=1, size=8)
    nn.functional.cross_entropy(network(torch.randn(16, 1, 8, 8)), torch.arange(16) % 10).backward()
    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    first, *_, last, output = (float(layer.weight.grad.norm()) for layer in layers if layer.weight.grad is not None)
    assert first < 1e-6 * last
    assert last < output
