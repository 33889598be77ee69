"""The tape tells what happened: every operation once, in order, with what went in and what came out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import zoo
from wiesel.analysis.tape import Tape, record, replay


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def names(tape: Tape) -> list[str]:
    return [operation.name for operation in tape.operations]


def of(function: Callable[[Tensor], Any], image: tuple[int, int, int] = (2, 6, 6), **options: Any) -> Tape:
    network = Function(function).eval()
    tape = record(network, image, **options)
    assert tape.failure is None, tape.failure
    if options.get("values"):
        assert replay(tape, network) == 0
    return tape


class InPlaceBlock(nn.Module):
    """As textbooks write it: the sum and the rectifier overwrite the output of the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.conv(x))
        out += x
        return self.relu(out)


def test_what_is_changed_in_place_later_is_kept_as_it_was() -> None:
    torch.manual_seed(0)
    block = InPlaceBlock().eval()
    pictures = torch.randn(3, 2, 5, 5)
    tape = record(block, (2, 5, 5), values=True, pictures=pictures)
    assert names(tape) == ["conv2d", "batch_norm", "add", "relu"]
    assert [operation.in_place for operation in tape.operations] == [False, False, True, True]
    assert tape.operations[2].inputs == (tape.operations[1].outputs[0], tape.input)
    with torch.no_grad():
        norm = block.norm(block.conv(pictures))
    wanted = [pictures, block.conv(pictures), norm, norm + pictures, (norm + pictures).relu()]
    for value, tensor in zip(tape.values, wanted, strict=True):
        assert value.tensor is not None
        torch.testing.assert_close(value.tensor, tensor.detach())
    assert replay(tape, block) == 0


def test_a_shortcut_that_shares_memory_with_an_in_place_rectifier_is_the_rectified_one() -> None:
    def forward(x: Tensor) -> Tensor:
        y = x * 2
        shortcut = y
        z = functional.relu(y, inplace=True)
        return shortcut + z * 3

    tape = of(forward, values=True)
    relu, last = tape.operations[1], tape.operations[-1]
    assert last.inputs[0] == relu.outputs[0]
    torch.testing.assert_close(tape.values[last.outputs[0]].tensor, 4 * tape.values[relu.outputs[0]].tensor)


def test_a_tensor_changed_through_a_view_is_a_new_value() -> None:
    def forward(x: Tensor) -> Tensor:
        y = x * 2
        y[:, :1].zero_()
        return y + 1

    tape = of(forward, values=True)
    assert names(tape) == ["mul", "getitem", "zero", "rewritten", "add"]
    rewritten = tape.operations[3]
    assert rewritten.inputs == (tape.operations[0].outputs[0], tape.operations[2].outputs[0])
    content = tape.values[rewritten.outputs[0]].tensor
    before = tape.values[tape.operations[0].outputs[0]].tensor
    assert content is not None
    assert before is not None
    assert (content[:, 0] == 0).all()
    assert not (before[:, 0] == 0).any()


def test_a_canvas_that_is_painted_on_belongs_to_the_picture_from_then_on() -> None:
    def forward(x: Tensor) -> Tensor:
        canvas = torch.zeros(1, 2, 8, 8)
        canvas[:, :, 1:7, 1:7] = x
        other = torch.zeros(1, 2, 8, 8)
        other[..., 1:7, 1:7].copy_(x)
        return canvas + other

    tape = of(forward, values=True)
    assert names(tape) == ["setitem", "copy", "rewritten", "add"]
    assert tape.operations[0].inputs == (tape.input,)
    assert tape.operations[0].settings["index"][2] == slice(1, 7)
    torch.testing.assert_close(tape.values[tape.operations[0].outputs[0]].tensor, tape.values[tape.operations[2].outputs[0]].tensor)


def test_functions_and_operators_are_operations() -> None:
    def forward(x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(x), 2)
        x = 1 - x / 2 + x @ x
        return torch.flatten(x, 1) * x.shape[0]

    tape = of(forward, values=True)
    assert names(tape) == ["relu", "max_pool2d", "div", "sub", "matmul", "add", "flatten", "mul"]
    assert tape.operations[1].settings == {
        "kernel": (2, 2),
        "stride": (2, 2),
        "padding": (0, 0, 0, 0),
        "dilation": (1, 1),
        "ceil_mode": False,
    }
    assert tape.operations[3].settings == {"other": 1, "reversed": True}
    assert tape.values[tape.output].shape == (1, 18)
    assert all(operation.module == "" and operation.kind == "Function" for operation in tape.operations)


def test_a_module_that_is_used_three_times_has_three_calls() -> None:
    class Thrice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(self.inner(self.inner(x)))

    tape = record(Thrice(), (1, 2, 2))
    assert [(o.module, o.kind, o.call) for o in tape.operations] == [("inner.0", "ReLU", n) for n in range(3)]
    outermost, *inner = tape.calls
    assert (outermost.module, outermost.inputs, outermost.outputs, outermost.operations) == ("", (0,), (3,), (0, 3))
    assert [(call.module, call.call, call.inputs, call.outputs) for call in inner] == [
        (name, n, (n,), (n + 1,)) for n in range(3) for name in ("inner", "inner.0")
    ]


@pytest.mark.parametrize(
    ("function", "name", "shapes"),
    [
        (lambda x: x.chunk(2, 1), "chunk", [(1, 1, 6, 6)] * 2),
        (lambda x: torch.split(x, [1, 5], 2), "split", [(1, 2, 1, 6), (1, 2, 5, 6)]),
        (lambda x: list(x), "unbind", [(2, 6, 6)]),
        (lambda x: x.max(2), "max", [(1, 2, 6)] * 2),
        (lambda x: functional.max_pool2d(x, 3, return_indices=True), "max_pool2d", [(1, 2, 2, 2)] * 2),
        (lambda x: {"a": x.unbind(1)}, "unbind", [(1, 6, 6)] * 2),
    ],
)
def test_an_operation_may_have_several_outputs(function: Callable[[Tensor], Any], name: str, shapes: list[Any]) -> None:
    tape = of(function, values=True)
    assert names(tape) == [name]
    assert [tape.values[index].shape for index in tape.operations[0].outputs] == shapes
    assert tape.output == tape.operations[0].outputs


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear"), "interpolate"),
        (lambda x: functional.scaled_dot_product_attention(x, x, x), "scaled_dot_product_attention"),
        (lambda x: torch.einsum("bchw,bdhw->bcd", x, x), "einsum"),
        (lambda x: torch.bmm(x[0], x[0]), "bmm"),
        (lambda x: functional.normalize(x), "normalize"),
        (lambda x: functional.group_norm(x, 1), "group_norm"),
        (lambda x: torch.ops.aten.hardswish(x), "hardswish"),
        (lambda x: x.mT, "mT"),
        (lambda x: x.data, "data"),
        (lambda x: x.contiguous(), "contiguous"),
        (lambda x: functional.dropout(x, training=False), "dropout"),
    ],
)
def test_whatever_a_function_does_inside_is_one_operation(function: Callable[[Tensor], Any], name: str) -> None:
    assert names(of(function, values=True))[-1] == name
    assert sum(entry != "getitem" for entry in names(of(function))) == 1


def test_attention_is_one_operation_and_names_its_parameters() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x: Tensor) -> Any:
            tokens = x.flatten(2).transpose(1, 2)
            return self.attention(tokens, tokens, tokens)

    tape = record(network := Attention(), (4, 3, 3), values=True)
    assert names(tape) == ["flatten", "transpose", "transpose", "multi_head_attention_forward", "transpose"]
    attention = tape.operations[3]
    assert len(attention.inputs) == 3
    assert set(attention.parameters) == {f"attention.{name}" for name, _ in network.attention.named_parameters()}
    assert isinstance(tape.output, tuple)
    assert [tape.values[index].shape for index in tape.output] == [(1, 9, 4), (1, 9, 9)]
    assert replay(tape, network) < 1e-6


def test_who_gets_back_his_own_input_does_not_take_it_over() -> None:
    """`dropout` in evaluation mode is the identity, even as an object; a shortcut around it is still a shortcut."""
    tape = of(lambda x: x + functional.dropout(x, training=False))
    assert tape.operations[1].inputs == (tape.input, tape.operations[0].outputs[0])


def test_shapes_and_fresh_constants_do_not_depend_on_the_picture() -> None:
    def forward(x: Tensor) -> Tensor:
        grid = torch.arange(x.shape[-1], dtype=x.dtype) * 2
        noise = torch.zeros_like(x) + x.new_ones(1) + torch.empty_like(x).fill_(1)
        return x + (grid + noise)

    assert names(of(forward, values=True)) == ["add"]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_settings_are_the_same_however_a_window_is_given() -> None:
    weight = torch.zeros(4, 1, 2, 3)
    told = [
        of(function, values=True).operations[-1].settings
        for function in (
            lambda x: functional.conv2d(x, weight, None, 2, (1, 0), 1, 2),
            lambda x: torch.conv2d(x, weight, groups=2, stride=(2, 2), padding=[1, 0]),
        )
    ]
    assert told[0] == told[1]
    assert told[0] == {
        "kernel": (2, 3),
        "stride": (2, 2),
        "padding": (1, 0, 1, 0),
        "dilation": (1, 1),
        "groups": 2,
        "in_channels": 2,
        "out_channels": 4,
        "bias": False,
    }
    same = of(lambda x: functional.conv2d(x, weight, padding="same", groups=2)).operations[0].settings
    assert same["padding"] == (0, 1, 1, 1)
    pool = of(lambda x: torch.nn.AvgPool2d((3, 2), 1, ceil_mode=True)(x)).operations[0].settings
    assert (pool["kernel"], pool["stride"], pool["ceil_mode"]) == ((3, 2), (1, 1), True)
    assert of(lambda x: x.permute((0, 2, 3, 1))).operations[0].settings["dims"] == (0, 2, 3, 1)
    assert of(lambda x: x.view(1, -1)).operations[0].settings["shape"] == (1, -1)
    assert of(lambda x: functional.adaptive_avg_pool2d(x, 1)).operations[0].settings["output_size"] == (1, 1)


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        weight = functional.batch_norm(self.weight.reshape(1, self.out_channels, -1), None, None, training=True)
        return functional.conv2d(x, weight.reshape_as(self.weight) * 2, self.bias)


def test_computations_on_parameters_alone_are_no_operations_but_leave_their_names() -> None:
    network = nn.Sequential(Standardised(2, 3, 3), nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 1, 1)))
    tape = record(network, (2, 5, 5), values=True)
    assert names(tape) == ["conv2d", "conv2d"]
    assert [operation.inputs for operation in tape.operations] == [(0,), (1,)]
    assert tape.operations[0].parameters == ("0.weight", "0.bias")
    assert set(tape.operations[1].parameters) == {
        "1.bias",
        "1.parametrizations.weight.original0",
        "1.parametrizations.weight.original1",
    }
    assert replay(tape, network) == 0


def test_a_failing_forward_pass_leaves_a_tape_up_to_there() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(7, 2))
    tape = record(network, (1, 4, 4))
    assert names(tape) == ["conv2d", "relu", "flatten"]
    assert tape.output == ()
    failure = tape.failure
    assert failure is not None
    assert (failure.operation, failure.module, failure.kind, failure.call) == ("linear", "3", "Linear", 0)
    assert failure.shapes == ((1, 8), (2, 7), (2,))
    assert failure.error == "RuntimeError"
    assert "8" in failure.message
    assert [call.module for call in tape.calls] == ["", "0", "1", "2", "3"]
    assert tape.calls[-1].outputs == ()
    assert not network[3]._forward_hooks


def test_a_module_that_refuses_its_input_is_named() -> None:
    def refuse(x: Tensor) -> Tensor:
        raise ValueError("too small")

    failure = record(nn.Sequential(nn.ReLU(), Function(refuse)), (1, 2, 3)).failure
    assert failure is not None
    assert (failure.operation, failure.module, failure.kind) == ("", "1", "Function")
    assert (failure.shapes, failure.error, failure.message) == (((1, 1, 2, 3),), "ValueError", "too small")


def test_a_failure_that_the_network_catches_is_none() -> None:
    def forward(x: Tensor) -> Tensor:
        try:
            x = functional.conv2d(x, torch.zeros(1, 9, 1, 1))
        except RuntimeError:
            x = x * 2
        return functional.linear(x, torch.zeros(1, 9))

    failure = record(Function(forward), (1, 2, 2)).failure
    assert failure is not None
    assert failure.operation == "linear"


def state(network: nn.Module) -> list[Any]:
    return [
        (
            module.training,
            dict(module._forward_hooks),
            dict(module._forward_pre_hooks),
            dict(module._forward_hooks_always_called),
            dict(module._forward_pre_hooks_with_kwargs),
            [(name, id(buffer), buffer.tolist()) for name, buffer in module.named_buffers(recurse=False)],
            [(name, id(p), p.tolist(), p.grad, p.requires_grad) for name, p in module.named_parameters(recurse=False)],
        )
        for module in network.modules()
    ]


@pytest.mark.parametrize("evaluate", [True, False])
@pytest.mark.parametrize("image", [(2, 5, 5), (3, 5, 5)], ids=["works", "fails"])
def test_the_network_the_pictures_and_chance_are_left_as_they_were(evaluate: bool, image: tuple[int, int, int]) -> None:
    network = nn.Sequential(nn.ReLU(inplace=True), InPlaceBlock(), nn.Dropout(0.5)).train()
    network[1].norm.eval()
    network[1].conv.weight.requires_grad_(False)
    before, pictures, chance = state(network), torch.randn(4, *image), torch.get_rng_state()
    copied = pictures.clone()
    tape = record(network, image, evaluate=evaluate, pictures=pictures, values=True)
    assert (tape.failure is None) == (image[0] == 2)
    assert state(network) == before
    torch.testing.assert_close(pictures, copied, rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), chance)
    dropout = [operation for operation in tape.operations if operation.name == "dropout"]
    assert all(operation.settings["training"] is not evaluate for operation in dropout)


def test_running_statistics_do_not_move_in_training_mode() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2)).train()
    before = state(network)
    tape = record(network, (2, 4, 4), evaluate=False)
    assert names(tape) == ["batch_norm"]
    assert tape.operations[0].settings["training"] is True
    assert not tape.operations[0].in_place
    assert state(network) == before


def test_inside_inference_mode_it_works_too() -> None:
    with torch.inference_mode():
        assert names(record(InPlaceBlock(), (2, 4, 4), values=True)) == ["conv2d", "batch_norm", "add", "relu"]


def test_producers_and_consumers() -> None:
    tape = of(lambda x: x * x + x.relu())
    assert tape.producer(tape.input) is None
    assert tape.producer(tape.output) is tape.operations[-1]  # type: ignore[arg-type]
    assert [operation.name for operation in tape.consumers(tape.input)] == ["mul", "relu"]
    assert tape.consumers(tape.output) == ()  # type: ignore[arg-type]


def test_replay_notices_other_weights_and_a_damaged_tape() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    tape = record(network, (1, 5, 5), values=True)
    other = copy.deepcopy(network)
    with torch.no_grad():
        other[0].weight *= 1.1
    assert replay(tape, network) == 0
    assert replay(tape, other) > 1e-3
    kept = tape.values[1].tensor
    assert kept is not None
    kept[0, 0, 0, 0] += 1
    assert replay(tape, network) > 1e-3


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "resnet20", "mobilenet_v3_small", "squeezenet1_1", "densenet_bc_100"])
def test_repeating_a_network_of_the_zoo_gives_the_same_numbers(name: str) -> None:
    torch.manual_seed(0)
    network = zoo.build(name, channels=3, size=32)
    pictures = torch.randn(2, 3, 32, 32)
    tape = record(network, (3, 32, 32), values=True, pictures=pictures)
    assert tape.failure is None
    assert replay(tape, network) <= 1e-5
    with torch.no_grad():
        logits = network.eval()(pictures)
    torch.testing.assert_close(tape.values[tape.output].tensor, logits, rtol=0, atol=0)  # type: ignore[index]
    # Every parameter is read by some operation.
    read = {name for operation in tape.operations for name in operation.parameters}
    assert {name for name, _ in network.named_parameters()} <= read


def test_a_residual_network_of_torchvision_repeats_with_its_in_place_operations() -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    network = models.resnet18()
    tape = record(network, (3, 48, 48), values=True)
    assert sum(operation.in_place for operation in tape.operations) == 17 + 8
    assert replay(tape, network) <= 1e-5
