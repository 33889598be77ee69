"""Norms on the way up and down, against recomputations of their own; and nobody notices that they were taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import zoo
from wiesel.analysis import GradientFlow, gradient_flow, recording
from wiesel.analysis.gradient_flow import LayerFlow
from wiesel.errors import ForwardFailed, NotOneTensor


class Block(nn.Module):
    """As textbooks write it: functional rectifiers, and a sum that overwrites what the norm put out."""

    def __init__(self, channels_in: int, channels_out: int, *, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Sequential()
        if channels_in != channels_out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1), nn.BatchNorm2d(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)), inplace=self.in_place)
        out = self.bn2(self.conv2(out))
        if self.in_place:
            out += self.shortcut(x)
            return functional.relu_(out)
        return functional.relu(out + self.shortcut(x))


def textbook(in_place: bool) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        Block(2, 3, in_place=in_place), Block(3, 3, in_place=in_place), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4)
    ).double()


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(6, 2, 7, 5, generator=generator).double(), torch.tensor([0, 1, 2, 3, 0, 1])


def numbers(layer: LayerFlow) -> list[float]:
    found = (layer.activation, layer.gradient, layer.weight, layer.weight_gradient, layer.dead, layer.zeros)
    return [-1.0 if number is None else number for number in found]


def test_in_place_operations_change_no_number(batch: tuple[Tensor, Tensor]) -> None:
    plain, overwriting = (gradient_flow(textbook(in_place), *batch) for in_place in (False, True))
    assert [layer.operation for layer in overwriting.layers] == [layer.operation for layer in plain.layers]
    for one, other in zip(plain.layers, overwriting.layers, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), rel=1e-12), one.name
    for before, after in zip(plain.shortcuts, overwriting.shortcuts, strict=True):
        assert (after.skip, after.branch, after.total) == pytest.approx((before.skip, before.branch, before.total), rel=1e-12)
        assert after.gradient == pytest.approx(before.gradient, rel=1e-12)
    assert overwriting.shortcuts[1].gradient_branch == pytest.approx(plain.shortcuts[1].gradient_branch, rel=1e-12)


def recomputed(block: Block, x: Tensor) -> tuple[Tensor, Tensor]:
    """(branch, shortcut) of a block in training mode, from its weights, by formulas."""

    def norm(values: Tensor, layer: nn.BatchNorm2d) -> Tensor:
        mean, variance = values.mean((0, 2, 3), keepdim=True), values.var((0, 2, 3), unbiased=False, keepdim=True)
        scale, shift = layer.weight[None, :, None, None], layer.bias[None, :, None, None]
        return (values - mean) / torch.sqrt(variance + layer.eps) * scale + shift

    def conv(values: Tensor, layer: nn.Conv2d) -> Tensor:
        side = layer.kernel_size[0]
        columns = functional.unfold(values, side, padding=layer.padding[0])  # type: ignore[arg-type]
        assert layer.bias is not None
        found = layer.weight.flatten(1) @ columns + layer.bias[:, None]
        return found.unflatten(2, values.shape[2:])

    hidden = norm(conv(x, block.conv1), block.bn1).clamp(min=0)
    branch = norm(conv(hidden, block.conv2), block.bn2)
    return branch, norm(conv(x, block.shortcut[0]), block.shortcut[1]) if len(block.shortcut) else x


def test_maps_before_an_in_place_addition_equal_a_recomputation(batch: tuple[Tensor, Tensor]) -> None:
    network = textbook(in_place=True)
    pictures, labels = batch
    with torch.no_grad():
        branch, shortcut = recomputed(network[0], pictures)  # type: ignore[arg-type]
        after = (branch + shortcut).clamp(min=0)
        second, identity = recomputed(network[1], after)  # type: ignore[arg-type]
        with recording(network, "0.bn2", "1.bn2", evaluate=False) as recorded:
            network.train()(pictures)
    for channel in range(3):
        torch.testing.assert_close(recorded["0.bn2"][:, channel], branch[:, channel])
        torch.testing.assert_close(recorded["1.bn2"][:, channel], second[:, channel])
    found = gradient_flow(network, pictures, labels).shortcuts
    for flow, (one, other) in zip(found, ((branch, shortcut), (second, identity)), strict=True):
        assert flow.branch == pytest.approx(float(one.norm()))
        assert flow.skip == pytest.approx(float(other.norm()))
        assert flow.total == pytest.approx(float((one + other).norm()))
        assert flow.ratio == pytest.approx(float(one.norm() / other.norm()))


def test_the_gradient_that_comes_back_by_the_branch_is_its_own(batch: tuple[Tensor, Tensor]) -> None:
    network = textbook(in_place=False).train()
    pictures, labels = batch
    flow = gradient_flow(network, pictures, labels)
    middle = network[0](pictures).detach().requires_grad_()
    branch, _ = recomputed(network[1], middle)  # type: ignore[arg-type]
    total = (branch + middle).detach().requires_grad_()
    loss = functional.cross_entropy(network[2:](total.clamp(min=0)), labels)
    (handed,) = torch.autograd.grad(loss, total)
    (by_branch,) = torch.autograd.grad(branch, middle, handed)
    first, second = flow.shortcuts
    assert first.gradient_branch is None, "its shortcut is a projection"
    assert second.gradient == pytest.approx(float(handed.norm()))
    assert second.gradient_branch == pytest.approx(float(by_branch.norm()))


def test_every_gradient_is_that_of_retain_grad(batch: tuple[Tensor, Tensor]) -> None:
    network = textbook(in_place=False).train()
    pictures, labels = batch
    flow = {layer.name: layer for layer in gradient_flow(network, pictures, labels).layers}
    kept: dict[str, Tensor] = {}
    layers = ("0.conv1", "0.bn2", "0.shortcut.0", "1.conv2", "4")
    for name in layers:
        network.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: (out.retain_grad(), kept.update({name: out}))[0]
        )
    functional.cross_entropy(network(pictures), labels).backward()
    for name in layers:
        assert flow[name].activation == pytest.approx(float(kept[name].detach().norm()))
        assert kept[name].grad is not None
        assert flow[name].gradient == pytest.approx(float(kept[name].grad.norm()))
        own = [parameter.grad for parameter in network.get_submodule(name).parameters()]
        assert flow[name].weight_gradient == pytest.approx(sqrt(sum(float(one.norm()) ** 2 for one in own if one is not None)))


def test_a_chain_that_can_be_done_by_hand() -> None:
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 1.0], [-1.0, -1.0]]))  # second unit: never positive for positive pictures
        network[2].weight.copy_(torch.tensor([[5.0, 7.0]]))
    given = torch.tensor([[1.0, 2.0], [0.0, 4.0]]).double()[:, :, None, None]
    flow = gradient_flow(nn.Sequential(nn.Flatten(), *network), given, torch.zeros(2), loss=lambda logits, _: logits.sum())
    first, relu, last = flow.layers
    assert (first.operation, relu.operation, last.operation) == ("linear", "relu", "linear")
    assert first.activation == pytest.approx(sqrt(9 + 9 + 16 + 16))  # (3, -3) and (4, -4)
    assert relu.activation == pytest.approx(5)
    assert (relu.dead, relu.zeros) == (0.5, 0.5)
    assert relu.gradient == pytest.approx(sqrt(2 * (25 + 49)))
    assert first.gradient == pytest.approx(sqrt(2 * 25))
    assert first.weight_gradient == pytest.approx(sqrt(5**2 + 30**2))  # 5 (1 + 0) and 5 (2 + 4)
    assert last.weight_gradient == pytest.approx(7)  # 3 + 4
    assert (flow.loss, last.gradient_rms, relu.activation_rms) == pytest.approx((35, 1, 5 / 2))


def state_of(network: nn.Module) -> tuple[list[object], ...]:
    return (
        [module.training for module in network.modules()],
        [tensor.clone() for tensor in network.state_dict().values()],
        [parameter.grad.clone() if parameter.grad is not None else None for parameter in network.parameters()],
        [parameter.requires_grad for parameter in network.parameters()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()],
    )


@pytest.mark.parametrize("training", [True, False, None])
def test_the_network_the_pictures_and_chance_are_left_as_they_were(training: bool | None, batch: tuple[Tensor, Tensor]) -> None:
    network = nn.Sequential(textbook(in_place=True)[0], nn.Dropout(0.5), nn.Flatten(), nn.Linear(3 * 35, 4).double())
    network[0].bn1.eval()
    network[0].conv1.weight.requires_grad_(False)
    pictures, labels = batch[0].clone(), batch[1]
    functional.cross_entropy(network(pictures), labels).backward()
    before, chance = state_of(network), torch.get_rng_state()
    flow = gradient_flow(network, pictures, labels, training=training)
    after = state_of(network)
    assert after[0] == before[0]
    assert after[3:] == before[3:]
    for one, other in zip(before[1] + before[2], after[1] + after[2], strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), chance)
    assert torch.equal(pictures, batch[0])
    assert not pictures.requires_grad
    frozen = flow.layers[0]
    assert frozen.name == "0.conv1"
    assert frozen.gradient, "the way leads through frozen layers"


def test_what_gives_back_its_input_does_not_cut_the_way(batch: tuple[Tensor, Tensor]) -> None:
    class Passing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.dropout(x.contiguous(), 0.5, training=False)

    def network(inside: nn.Module) -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(2, 2, 3), inside, nn.Flatten(), nn.Linear(30, 4)).double()

    found = [gradient_flow(network(inside), *batch).layers[0] for inside in (Passing(), nn.Identity())]
    assert found[0].gradient == pytest.approx(found[1].gradient)


def test_channels_that_are_never_positive_are_dead() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 4, 2))
    with torch.no_grad():
        network[0].bias.copy_(torch.tensor([-100.0, 100.0, -100.0, -100.0]))
    relu = gradient_flow(network, torch.rand(3, 1, 4, 4), torch.tensor([0, 1, 0])).layers[1]
    assert (relu.dead, relu.zeros) == (0.75, 0.75)


@pytest.mark.parametrize(("name", "blocks", "identities"), [("resnet20", 9, 7), ("plain20", 0, 0)])
def test_shortcuts_are_found_in_the_networks_of_the_zoo(name: str, blocks: int, identities: int) -> None:
    flow = gradient_flow(zoo.build(name, size=12), torch.randn(2, 1, 12, 12), torch.tensor([0, 1]))
    assert len(flow.shortcuts) == blocks
    assert sum(one.gradient_branch is not None for one in flow.shortcuts) == identities
    if name.startswith("resnet"):
        assert all(one.ratio == 0 for one in flow.shortcuts), "blocks start as the identity"
        assert len(flow.weighted) == 20


def test_numbers_too_small_for_squares_are_not_lost() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False)).double()
    with torch.no_grad():
        network[1].weight.fill_(1e-200)
    flow = gradient_flow(network, torch.ones(1, 1, 2, 2).double(), torch.tensor([0]))
    assert flow.layers[0].activation == pytest.approx(sqrt(3) * 4e-200, rel=1e-12)


def test_the_way_through_json_and_the_table(batch: tuple[Tensor, Tensor]) -> None:
    flow = gradient_flow(textbook(in_place=True), *batch)
    assert GradientFlow.from_json(json.loads(json.dumps({"kind": "gradient_flow", **flow.to_json()}))) == flow
    assert "0:relu@2" in str(flow)
    assert len(str(flow).splitlines()) == len(flow.layers) + 1


@pytest.mark.parametrize(
    ("result", "error"),
    [(lambda x: x.reshape(3, 10_000), ForwardFailed), (lambda x: {"what": 1}, NotOneTensor)],
    ids=["shape", "none"],
)
def test_what_cannot_be_measured_is_refused(
    result: Callable[[Tensor], Tensor], error: type[Exception], batch: tuple[Tensor, Tensor]
) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return result(x)

    with pytest.raises(error):
        gradient_flow(Odd(), *batch)


def test_of_several_outputs_the_first_are_the_logits(batch: tuple[Tensor, Tensor]) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(70, 4))
            self.early = nn.Sequential(nn.Flatten(), nn.Linear(70, 4))

        def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            return self.body(x), (self.early(x),)

    flow = gradient_flow(Two().double(), *batch)
    assert [layer.gradient is None for layer in flow.layers] == [False, True]
