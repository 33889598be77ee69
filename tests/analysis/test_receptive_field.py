"""Receptive fields against numbers from the literature and numbers that a person can work out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import zoo
from wiesel.analysis.receptive_field import Box, Field, Status, fields, first_beyond, layer_fields
from wiesel.analysis.tape import record
from wiesel.errors import BadValue


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def of(network: nn.Module | Callable[[Tensor], Any], image: tuple[int, int, int] = (2, 12, 12)) -> Field:
    """The field of the output."""
    network = network if isinstance(network, nn.Module) else Function(network)
    tape = record(network, image)
    assert tape.failure is None, tape.failure
    return layer_fields(tape)["", 0]


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()


def conv(kernel: int | tuple[int, int], **options: Any) -> nn.Module:
    return nn.Conv2d(2, 2, kernel, **options)


# --- whole networks


# google-research/receptive_field lists alexnet 195 and vgg_16 212, rfa_toolbox ResNet-50 427; the others follow from the formula.
@pytest.mark.parametrize(("name", "size"), [("alexnet", 195), ("vgg16", 212), ("resnet18", 435), ("resnet50", 427)])
def test_known_networks_have_their_known_fields(name: str, size: int) -> None:
    models = pytest.importorskip("torchvision.models")
    ours, theirs = on_meta(lambda: zoo.build(name, channels=3)), on_meta(getattr(models, name))
    last = "features" if name in ("alexnet", "vgg16") else "layer4"
    for network, layer in ((ours, "features"), (theirs, last)):
        found = layer_fields(record(network, (3, 224, 224)))
        assert (found[layer, 0].status, found[layer, 0].size) == (Status.EXACT, (size, size))
        assert found[layer, 0].stride == (32, 32)
        assert found["", 0].status is Status.WHOLE_INPUT


def test_our_small_resnet18_grows_as_the_formula_says_and_exceeds_its_picture_in_stage_3() -> None:
    tape = record(zoo.build("resnet18", channels=1, size=28), (1, 28, 28))
    found = layer_fields(tape)
    rows = [found[f"features.{stage}", 0] for stage in ("stem", "stage1", "stage2", "stage3", "stage4")]
    assert [field.size for field in rows] == [(size, size) for size in (3, 11, 25, 53, 109)]
    assert [field.stride for field in rows] == [(stride, stride) for stride in (1, 1, 2, 4, 8)]
    assert [field.start for field in rows] == [((1 - size) / 2, (1 - size) / 2) for size in (3, 11, 25, 53, 109)]
    assert {field.status for field in rows} == {Status.EXACT}
    assert {field.centre for field in rows} == {(0, 0)}
    assert first_beyond(tape) == ("features.stage3.block1.conv1", 0)
    assert found["features.stage3.block1.conv1", 0].size == (29, 29)
    assert not found["features.stage2", 0].exceeds
    assert found["features.stage3", 0].exceeds
    assert found["head", 0].status is Status.WHOLE_INPUT
    assert found["head", 0].size == (28, 28)


def test_the_field_does_not_depend_on_the_size_of_the_picture() -> None:
    network = zoo.build("resnet18", channels=1, size=224)
    small, large = (layer_fields(record(network, (1, side, side)))["features", 0] for side in (32, 96))
    assert (small.size, small.stride, small.start, small.status) == (large.size, large.stride, large.start, large.status)
    assert small.size == (435, 435)


# --- one rule at a time


@pytest.mark.parametrize(
    ("network", "size", "stride", "start"),
    [
        (conv(3), 3, 1, 0),
        (conv(3, padding=1), 3, 1, -1),
        (conv(2), 2, 1, 0),
        (conv(4, padding=1, stride=2), 4, 2, -1),
        (conv(3, dilation=2, padding=2), 5, 1, -2),
        (conv(1, stride=3), 1, 3, 0),
        (nn.Sequential(conv(3, stride=2), conv(3, dilation=2)), 11, 2, 0),
        (nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(3, 1, 1)), 6, 2, -2),
        (nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), conv(2)), 5, 2, 0),
        (nn.Sequential(nn.ZeroPad2d((2, 0, 2, 0)), conv(3)), 3, 1, -2),
        (nn.Sequential(nn.ZeroPad2d(-1), conv(3)), 3, 1, 1),
        (nn.AdaptiveAvgPool2d(4), 3, 3, 0),
        (nn.AdaptiveMaxPool2d(12), 1, 1, 0),
        (nn.Sequential(conv(3), nn.ReLU(inplace=True), nn.BatchNorm2d(2), nn.Dropout(), nn.Hardswish()), 3, 1, 0),
        (nn.PixelUnshuffle(2), 2, 2, 0),
        (lambda x: x[..., 1::2, 1::2], 1, 2, 1),
        (lambda x: functional.layer_norm(x.permute(0, 2, 3, 1), (2,)).permute(0, 3, 1, 2), 1, 1, 0),
    ],
)
def test_chains_follow_the_formula(network: Any, size: int, stride: int, start: int) -> None:
    field = of(network)
    assert (field.status, field.size, field.stride, field.start) == (Status.EXACT, (size,) * 2, (stride,) * 2, (start,) * 2)


def test_rows_and_columns_are_kept_apart() -> None:
    field = of(nn.Sequential(conv((1, 5), padding=(0, 2)), conv((3, 2), stride=(2, 1))))
    assert (field.size, field.stride, field.start) == ((3, 6), (2, 1), (0, -2))
    assert field.centre == (1, 0.5)
    assert field.positions == (5, 11)


def test_branches_are_joined_by_the_box_around_them() -> None:
    def join(left: nn.Module, right: nn.Module) -> Field:
        class Sum(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.left, self.right = left, right

            def forward(self, x: Tensor) -> Tensor:
                return self.left(x) + self.right(x)

        return of(Sum())

    assert join(conv(3, padding=1), nn.Identity()).size == (3, 3)
    plus = join(conv((1, 7), padding=(0, 3)), conv((5, 1), padding=(2, 0)))
    assert (plus.status, plus.size, plus.start) == (Status.EXACT, (5, 7), (-2, -3))
    # Even windows, one padded before and one after: the box is larger than either.
    left = nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), conv(2))
    right = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), conv(2))
    both = join(left, right)
    assert (both.status, both.size, both.start) == (Status.EXACT, (3, 3), (-1, -1))
    # A map that was cropped on one side, added to one that was shrunk by a stride: neighbours move apart, and only a bound is left.
    apart = join(conv(3, stride=2), Function(lambda x: x[..., :5, :5]))
    assert apart.status is Status.UPPER_BOUND
    assert apart.size is not None
    assert apart.size[0] >= 3
    # Every position still has its exact box in this picture.
    assert [apart.box(i, i) for i in (0, 2, 4)] == [Box(0, 0, 3, 3), Box(2, 2, 7, 7), Box(4, 4, 11, 11)]


def test_boxes_of_positions_and_their_clipping() -> None:
    field = of(nn.Sequential(conv(3, padding=1, stride=2), conv(3, padding=1)), (2, 9, 9))
    assert (field.size, field.stride, field.start, field.positions) == ((7, 7), (2, 2), (-3, -3), (5, 5))
    assert field.box(0, 0, clipped=False) == Box(-3, -3, 4, 4)
    assert field.box(0, 0) == Box(0, 0, 4, 4)
    assert field.box(2, 4, clipped=False) == Box(1, 5, 8, 12)
    assert field.box(2, 4) == Box(1, 5, 8, 9)
    for row, column in ((5, 0), (-1, 0), (0, 5)):
        with pytest.raises(BadValue, match="0 to 4"):
            field.box(row, column)


def test_what_lies_in_a_padding_is_not_seen_even_through_holes() -> None:
    # Position 0 of a window of 2 with dilation 3 and padding 1 has its taps at -1 and 2: pixels 0 and 1 are not seen.
    field = of(conv(2, dilation=3, padding=1), (2, 8, 8))
    assert field.box(0, 0, clipped=False) == Box(-1, -1, 3, 3)
    assert field.box(0, 0) == Box(2, 2, 3, 3)
    nothing = of(conv(1, padding=1), (2, 4, 4))
    assert nothing.box(0, 0) == Box(0, 0, 0, 0)
    assert nothing.box(0, 0).is_empty
    assert nothing.box(1, 1) == Box(0, 0, 1, 1)


# --- everything is mixed


@pytest.mark.parametrize(
    "function",
    [
        lambda x: functional.adaptive_avg_pool2d(x, 1),
        lambda x: x.mean((2, 3)),
        lambda x: x.flatten(2).amax(-1),
        lambda x: x * functional.adaptive_avg_pool2d(x, 1).sigmoid(),
        lambda x: functional.linear(x.flatten(1), torch.ones(3, 288)),
        lambda x: functional.group_norm(x, 1),
        lambda x: functional.instance_norm(x),
        lambda x: functional.batch_norm(x, None, None, training=True),
        lambda x: functional.scaled_dot_product_attention(*[x.flatten(2).transpose(1, 2)] * 3),
        lambda x: (lambda t: ((t @ t.transpose(1, 2)).softmax(-1) @ t).transpose(1, 2).unflatten(2, (12, 12)))(
            x.flatten(2).transpose(1, 2)
        ),
        lambda x: torch.einsum("bnm,bmc->bnc", torch.ones(1, 144, 144), x.flatten(2).transpose(1, 2)),
        lambda x: functional.conv2d(
            functional.conv2d(x.mean((2, 3), keepdim=True), torch.ones(2, 2, 1, 1)) + x, torch.ones(1, 2, 3, 3)
        ),
        lambda x: torch.cat([x, functional.interpolate(x.mean((2, 3), keepdim=True), size=(12, 12))], 1),
    ],
)
def test_mixing_all_positions_is_the_whole_picture(function: Callable[[Tensor], Tensor]) -> None:
    field = of(function)
    assert (field.status, field.size, field.stride) == (Status.WHOLE_INPUT, (12, 12), None)
    assert field.box(0, 0) == Box(0, 0, 12, 12)


def test_attention_of_a_module_is_the_whole_picture() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2).permute(2, 0, 1)
            return self.attention(tokens, tokens, tokens, need_weights=False)[0]

    assert of(Attention()).status is Status.WHOLE_INPUT


def test_a_mean_over_rows_alone_leaves_the_columns_known() -> None:
    field = of(lambda x: functional.conv2d(x, torch.ones(1, 2, 3, 3)).mean(2, keepdim=True))
    assert (field.status, field.size) == (Status.UPPER_BOUND, (12, 3))
    assert field.columns[4].tolist() == [4, 7]


def test_a_whole_map_on_one_position_is_whole_only_after_mixing() -> None:
    field = of(nn.Sequential(conv(3, stride=2), conv(5)), (2, 12, 12))
    assert (field.status, field.size, field.positions) == (Status.EXACT, (11, 11), (1, 1))
    assert of(nn.Sequential(conv(3, stride=2), conv(5), nn.Flatten(), nn.Linear(2, 3))).status is Status.WHOLE_INPUT


# --- bounds


def test_enlarging_is_an_upper_bound_with_exact_boxes() -> None:
    nearest = of(nn.Sequential(conv(3, stride=2, padding=1), nn.Upsample(scale_factor=2)), (2, 8, 8))
    assert nearest.status is Status.UPPER_BOUND
    assert nearest.stride == (1, 1)
    assert [nearest.box(i, 3).top for i in range(4)] == [0, 0, 1, 1]
    backward = of(nn.ConvTranspose2d(2, 2, 3, stride=2), (2, 4, 4))
    assert backward.status is Status.UPPER_BOUND
    # Output 2 is made of input 0 (tap 2) and input 1 (tap 0), output 1 of input 0 alone.
    assert [tuple(map(int, row)) for row in backward.rows[:4]] == [(0, 1), (0, 1), (0, 2), (1, 2)]


def test_windows_of_attention_see_their_window() -> None:
    def forward(x: Tensor) -> Tensor:
        parts = x.permute(0, 2, 3, 1).view(1, 3, 4, 3, 4, 2).permute(0, 1, 3, 2, 4, 5).reshape(9, 16, 2)
        parts = functional.scaled_dot_product_attention(parts, parts, parts)
        return parts.view(3, 3, 4, 4, 2).permute(0, 2, 1, 3, 4).reshape(1, 12, 12, 2).permute(0, 3, 1, 2)

    field = of(forward)
    assert field.status is Status.UPPER_BOUND
    assert field.positions == (12, 12)
    assert field.box(5, 11) == Box(4, 8, 8, 12)


def test_merging_patches_as_a_transformer_does_is_a_window_with_a_stride() -> None:
    def forward(x: Tensor) -> Tensor:
        parts = x.permute(0, 2, 3, 1).reshape(1, 6, 2, 6, 2, 2).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return functional.linear(parts, torch.ones(5, 8)).permute(0, 3, 1, 2)

    field = of(forward)
    assert (field.status, field.size, field.stride, field.start) == (Status.EXACT, (2, 2), (2, 2), (0, 0))


def test_a_class_token_loses_the_place_but_not_the_size() -> None:
    def forward(x: Tensor) -> Tensor:
        patches = functional.conv2d(x, torch.ones(2, 2, 4, 4), stride=4).flatten(2).transpose(1, 2)
        return torch.cat([torch.zeros(1, 1, 2), patches], 1) + torch.ones(1, 10, 2)

    field = of(forward)
    assert (field.status, field.size, field.stride, field.positions) == (Status.UPPER_BOUND, (4, 4), None, None)
    assert field.box(0, 0) == Box(0, 0, 12, 12)
    mixed = of(lambda x: functional.scaled_dot_product_attention(*[forward(x)] * 3)[:, 0])
    assert mixed.status is Status.WHOLE_INPUT


# --- not known


def test_after_an_operation_without_a_rule_nothing_claims_to_be_known() -> None:
    def forward(x: Tensor) -> Tensor:
        grid = functional.affine_grid(torch.eye(2, 3)[None], [1, 2, 12, 12], align_corners=False)
        return functional.relu(functional.grid_sample(x, grid, align_corners=False)) + x

    tape = record(Function(forward), (2, 12, 12))
    known = fields(tape)
    assert [known[operation.outputs[0]].status for operation in tape.operations] == [Status.UNKNOWN] * 3
    last = known[tape.operations[-1].outputs[0]]
    assert (last.because, last.size, last.stride) == ("grid_sample", None, None)
    assert last.box(0, 0) == Box(0, 0, 12, 12)
    assert of(lambda x: functional.linear(forward(x).flatten(1), torch.ones(1, 288))).status is Status.UNKNOWN


def test_a_rule_that_does_not_fit_the_shape_is_no_rule() -> None:
    field = of(lambda x: x[:, torch.tensor([0, 1])][:, :, torch.arange(3)])
    assert (field.status, field.because) == (Status.UNKNOWN, "getitem")


def test_a_tensor_changed_through_a_view_is_unknown() -> None:
    def forward(x: Tensor) -> Tensor:
        y = x * 2
        y[:, :, :3].mul_(x.mean((2, 3), keepdim=True))
        return y + 1

    assert of(forward).because == "rewritten"


def test_a_failed_pass_has_fields_up_to_its_failure() -> None:
    tape = record(nn.Sequential(conv(3), nn.Linear(3, 3)), (2, 8, 8))
    assert tape.failure is not None
    found = layer_fields(tape)
    assert list(found) == [("0", 0)]
    assert found["0", 0].size == (3, 3)


# --- networks from anywhere

FEW = ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s16_224", "mobilevit_s", "convnext_atto", "levit_128s"]
MANY = [
    *FEW,
    *("efficientformer_l1", "coatnet_0_rw_224", "regnety_008", "nfnet_f0", "poolformer_s12", "maxvit_tiny_tf_224", "davit_tiny"),
    *(
        "botnet26t_256",
        "halonet26t",
        "lambda_resnet26t",
        "res2net50_26w_4s",
        "xcit_nano_12_p16_224",
        "volo_d1_224",
        "edgenext_xx_small",
    ),
]


def check(network: nn.Module, image: tuple[int, int, int]) -> None:
    tape = record(network, image)
    assert tape.failure is None, tape.failure
    known = fields(tape)
    assert len(known) == len(tape.values)
    assert {field.because for field in known.values()} == {""}
    assert isinstance(tape.output, int)
    assert known[tape.output].status is Status.WHOLE_INPUT
    # Nothing is exact that follows from something less.
    order = [Status.EXACT, Status.UPPER_BOUND, Status.WHOLE_INPUT]
    for operation in tape.operations:
        worst = max(order.index(known[index].status) for index in operation.inputs)
        if worst:
            assert all(known[index].status is not Status.EXACT for index in operation.outputs), operation


# One or two of each family; the others repeat their blocks more often and take their time even without numbers.
QUICK = [
    "lenet5",
    "alexnet2012",
    "alexnet",
    "googlenet",
    "vgg11",
    "vgg16_bn",
    "resnet18",
    "resnet50",
    "plain18",
    "resnet20",
    "plain20",
    "squeezenet1_1",
    "wrn_16_4",
    "xception",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "regnet_y_400mf",
    "nfnet_f0",
    "convnext_tiny",
    "simple_cnn",
    "hierarchical_cnn",
]


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=() if row.name in QUICK else pytest.mark.slow) for row in zoo.models()],
    ids=lambda row: row.name,
)
def test_every_network_of_the_zoo_has_a_field_everywhere(row: zoo.Architecture) -> None:
    check(on_meta(lambda: zoo.build(row.name, channels=row.input[0], size=row.input[1:])), row.input)


@pytest.mark.parametrize("name", FEW)
def test_networks_of_another_library_have_a_field_everywhere(name: str) -> None:
    timm = pytest.importorskip("timm")
    network = on_meta(lambda: timm.create_model(name, pretrained=False))
    check(network, tuple(network.default_cfg["input_size"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MANY if name not in FEW])
def test_more_networks_of_another_library_have_a_field_everywhere(name: str) -> None:
    timm = pytest.importorskip("timm")
    network = on_meta(lambda: timm.create_model(name, pretrained=False))
    check(network, tuple(network.default_cfg["input_size"]))
