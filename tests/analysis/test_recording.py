"""Recorded outputs are what the layers computed, whatever happens to their memory afterwards; the network is left as it was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.analysis import recording
from wiesel.errors import LayerNotFound, NotOneTensor, SeveralCalls


class InPlaceBlock(nn.Module):
    """The book's residual block: its `+=` writes into the memory of the second norm's output, its ReLU once more."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x
        return self.relu(out)


@pytest.fixture
def block() -> InPlaceBlock:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        block = InPlaceBlock(4)
        for norm in (block.bn1, block.bn2):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return block


@pytest.fixture
def pictures() -> Tensor:
    return torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(1))


def normed(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Batch norm in evaluation mode, written out."""
    mean, variance, scale, shift = (v[:, None, None] for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias))
    return (x - mean) / torch.sqrt(variance + norm.eps) * scale + shift


@torch.no_grad()
def test_the_norm_before_an_in_place_addition_is_recorded_as_it_was(block: InPlaceBlock, pictures: Tensor) -> None:
    inner = torch.clamp(normed(block.bn1, F.conv2d(pictures, block.conv1.weight, block.conv1.bias, padding=1)), min=0)
    before_addition = normed(block.bn2, F.conv2d(inner, block.conv2.weight, block.conv2.bias, padding=1))
    with recording(block, "bn2") as recorded:
        output = block(pictures)
    torch.testing.assert_close(recorded["bn2"], before_addition)
    assert not torch.equal(recorded["bn2"], output)
    torch.testing.assert_close(output, torch.clamp(before_addition + pictures, min=0))


@torch.no_grad()
def test_each_call_of_a_reused_module_is_kept_apart(block: InPlaceBlock, pictures: Tensor) -> None:
    with recording(block, "relu", "conv1") as recorded:
        output = block(pictures)
    assert [(o.layer, o.call) for o in recorded.outputs] == [("conv1", 0), ("relu", 0), ("relu", 1)]
    assert torch.equal(recorded.calls("relu")[1], output)
    with pytest.raises(SeveralCalls, match="2"):
        recorded["relu"]
    with pytest.raises(KeyError):
        recorded["bn1"]


def test_modes_and_hooks_are_as_before_even_after_an_exception(block: InPlaceBlock, pictures: Tensor) -> None:
    block.train()
    block.bn1.eval()  # a frozen part
    running = block.bn2.running_mean.clone()

    def look_and_fail() -> None:
        with recording(block, "conv1", "relu"):
            assert not block.bn2.training
            block(pictures)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        look_and_fail()
    assert block.training
    assert block.bn2.training
    assert not block.bn1.training
    assert torch.equal(block.bn2.running_mean, running)
    assert not any(module._forward_hooks for module in block.modules())


def test_training_mode_can_be_kept(block: InPlaceBlock, pictures: Tensor) -> None:
    block.train()
    with recording(block, "bn2", evaluate=False) as recorded:
        block(pictures)
    assert recorded["bn2"].mean().item() == pytest.approx(0, abs=1e-6)  # normalised with the batch's own statistics
    assert not recorded["bn2"].requires_grad


def test_an_unknown_layer_names_the_nearest_and_leaves_no_hook(block: InPlaceBlock) -> None:
    with pytest.raises(LayerNotFound, match="conv1"), recording(block, "bn1", "conv1x"):
        pass
    assert not any(module._forward_hooks for module in block.modules())


def test_a_layer_that_puts_out_a_tuple_is_refused_by_name() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    network = nn.Sequential(Two())
    with pytest.raises(NotOneTensor, match=r"'0'.*tuple"), recording(network, "0"):
        network(torch.zeros(1))
    assert not network[0]._forward_hooks
