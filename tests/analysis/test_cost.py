"""Parameters and multiply-adds against PyTorch's own counter, and against sums that a person can do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from wiesel import zoo
from wiesel.analysis import cost
from wiesel.errors import ForwardFailed


def flops_by_pytorch(network: nn.Module, image: tuple[int, int, int]) -> int:
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *image))
    return counter.get_total_flops()


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def odd_convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=1, dilation=(1, 2), groups=2),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding="same", groups=8),
        nn.ConvTranspose2d(8, 6, 4, stride=2, groups=2),
        nn.Flatten(2),
        nn.Conv1d(6, 3, 5, stride=3),
        nn.Linear(212, 7),
    )


@pytest.mark.parametrize(
    ("network", "image"),
    [
        pytest.param(lambda: zoo.build("resnet18", channels=1, size=28), (1, 28, 28), id="resnet18 small stem"),
        pytest.param(lambda: zoo.build("resnet50", channels=3, size=64, stem="imagenet"), (3, 64, 64), id="resnet50"),
        pytest.param(lambda: zoo.build("resnet20", channels=3), (3, 32, 32), id="resnet20"),
        pytest.param(lambda: zoo.build("lenet5", size=32), (1, 32, 32), id="lenet5"),
        pytest.param(odd_convolutions, (4, 17, 21), id="groups, dilation, stride, transposed"),
    ],
)
def test_totals_are_half_of_what_the_flop_counter_says(network: Any, image: tuple[int, int, int]) -> None:
    built = network()
    table = cost(built, image)
    assert table.flops == 2 * table.macs == flops_by_pytorch(built, image)
    assert table.parameters == parameters(built)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("torchvision", "vit_b_16"),  # PyTorch's own attention
        ("torchvision", "swin_t"),  # matrix products in a function
        ("torchvision", "maxvit_t"),  # einsum
        ("timm", "vit_tiny_patch16_224"),  # scaled_dot_product_attention
        ("timm", "halonet26t"),
        ("timm", "lambda_resnet26t"),
        ("timm", "efficientformer_l1"),
        ("timm", "coatnet_nano_rw_224"),
    ],
)
def test_products_that_no_module_computes_are_counted(source: str, name: str) -> None:
    if source == "timm":
        build = pytest.importorskip("timm").create_model
    else:
        build = pytest.importorskip("torchvision").models.get_model
    with torch.device("meta"):
        network = build(name)
    image = network.default_cfg["input_size"] if source == "timm" else (3, 224, 224)
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *image, device="meta"))
    assert cost(network, image).flops == counter.get_total_flops()


def test_what_counts_as_nothing_is_named() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU())
    assert cost(network, (1, 8, 8)).uncounted == {"relu": 2, "max_pool2d": 1}


def test_a_picture_that_does_not_fit_is_refused_with_layer_and_shapes() -> None:
    with pytest.raises(ForwardFailed, match=r"1x8x8.*conv2d in 0 failed on 1x1x8x8, 2x3x3x3"):
        cost(nn.Sequential(nn.Conv2d(3, 2, 3)), (1, 8, 8))


def test_torchvisions_resnet18_costs_1_814_gmac_at_224() -> None:
    torchvision = pytest.importorskip("torchvision")
    table = cost(torchvision.models.resnet18(), (3, 224, 224))
    assert (table.parameters, table.macs) == (11_689_512, 1_814_073_344)


def test_one_convolution_by_hand() -> None:
    # 3x3 over 2 channels, 5 filters; 6x8 px without padding, stride 1 -> 4x6 px: 5 * 24 products of 18; 5 * 18 weights + 5 biases
    row = cost(nn.Sequential(nn.Conv2d(2, 5, 3)), (2, 6, 8)).layers[0]
    assert (row.name, row.type, row.output, row.macs, row.parameters, row.calls) == ("0", "Conv2d", (5, 4, 6), 2160, 95, 1)


def test_a_layer_used_twice_costs_twice_the_work_but_its_weights_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 1, bias=False)
            self.scale = nn.Parameter(torch.ones(2, 1, 1))
            self.unused = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.scale * self.conv(self.conv(x))

    table = cost(Twice(), (2, 3, 3))
    rows = {row.name: row for row in table.layers}
    assert rows["conv"].macs == 2 * 9 * 4
    assert rows["conv"].calls == 2
    assert rows["unused"].calls == rows["unused"].macs == 0
    assert rows["unused"].output == ()
    assert rows[""].parameters == 2  # the network's own
    assert table.parameters == 4 + 12 + 2


def test_tied_weights_are_counted_once() -> None:
    first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    assert cost(nn.Sequential(nn.Flatten(), first, second), (1, 2, 2)).parameters == 16


def test_the_network_is_left_as_it_was() -> None:
    network = zoo.build("resnet20", channels=1)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    cost(network, (1, 16, 16))
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
