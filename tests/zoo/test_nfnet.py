import math

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.zoo.nfnet import NormFreeBlock, ScaledGELU, StandardisedConv


def test_logits_equal_timm_s_with_the_same_weights(same_logits):
    timm = pytest.importorskip("timm", reason="timm is the only other place that has this network")
    with torch.device("meta"):  # 71 million weights: drawn once, below
        theirs = timm.create_model("dm_nfnet_f0", pretrained=False)
    theirs.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, values in theirs.named_parameters():
            if name.endswith("gain"):
                values.normal_(1, 0.1, generator=generator)
            elif values.ndim > 1:
                values.uniform_(-1, 1, generator=generator).mul_(1 / math.sqrt(values[0].numel()))
            else:
                values.normal_(0, 0.1, generator=generator)
    same_logits("nfnet_f0", theirs, 75, 64)


def test_a_standardised_convolution_uses_filters_of_mean_0_and_variance_1_over_fan_in():
    torch.manual_seed(0)
    conv = StandardisedConv(6, 4, kernel=3, groups=2)
    nn.init.uniform_(conv.weight, 2, 5)
    nn.init.uniform_(conv.gain, 1, 2)
    pulse = torch.zeros(1, 6, 5, 5)
    used = torch.zeros(4, 3, 3, 3)
    for channel in range(3):  # a pulse in the same channel of both groups shows the filters, mirrored
        pulse.zero_()[0, [channel, channel + 3], 2, 2] = 1
        used[:, channel] = (conv(pulse) - conv.bias[:, None, None])[0, :, 1:4, 1:4].flip((1, 2))
    torch.testing.assert_close(used.mean((1, 2, 3)), torch.zeros(4), rtol=0, atol=1e-6)
    torch.testing.assert_close(used.var((1, 2, 3), unbiased=False) * 27, conv.gain.flatten() ** 2, rtol=1e-4, atol=0)


def test_a_scaled_gelu_keeps_variance_1():
    x = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    assert ScaledGELU()(x).var().item() == pytest.approx(1, abs=0.02)


def test_blocks_start_as_the_identity_if_asked():
    torch.manual_seed(0)
    block, x = NormFreeBlock(256, 256, 1, variance=1.04, survival=1.0), torch.randn(1, 256, 4, 4)
    assert not torch.equal(block(x), x)
    nn.init.zeros_(block.scale)
    assert torch.equal(block(x), x)
    with torch.device("meta"):
        scales = [m.scale for m in zoo.build("nfnet_f0").modules() if isinstance(m, NormFreeBlock)]
    assert len(scales) == 12


def test_every_parameter_of_a_block_gets_a_gradient():
    torch.manual_seed(0)
    block = NormFreeBlock(128, 256, 2, variance=1.0, survival=1.0)
    block(torch.randn(2, 128, 5, 5)).square().mean().backward()
    assert [name for name, p in block.named_parameters() if p.grad is None or not p.grad.abs().max() > 0] == []


def test_blocks_divide_by_the_size_that_their_input_must_have():
    with torch.device("meta"):
        stages = list(zoo.build("nfnet_f0").features)[1:-1]
    variances = [[round(1 / block.beta**2, 6) for block in stage] for stage in stages]
    assert variances == [[1.0], [1.04, 1.04], [1.08, 1.04, 1.08, 1.12, 1.16, 1.2], [1.24, 1.04, 1.08]]


@pytest.mark.parametrize(
    ("side", "stem", "expected"),
    [(256, "auto", [64, 64, 32, 16, 8, 8]), (28, "auto", [14, 14, 7, 4, 2, 2]), (28, "imagenet", [7, 7, 4, 2, 1, 1])],
)
def test_map_sizes(side, stem, expected, sides):
    assert sides("nfnet_f0", side, stem=stem) == expected
