import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.zoo.inception4 import inception_a, inception_b, inception_c, residual_a, residual_b, residual_c


def test_map_sizes(sides):
    for name in ("inception_v4", "inception_resnet_v2"):
        assert sides(name, 299) == [35, 35, 17, 8]
        assert sides(name, 75) == [7, 7, 3, 1]


@pytest.mark.parametrize(
    ("module", "width"),
    [
        (inception_a, 384),
        (inception_b, 1024),
        (inception_c, 1536),
        (lambda: residual_a(0.17), 320),
        (lambda: residual_b(0.1), 1088),
        (lambda: residual_c(0.2), 2080),
    ],
)
def test_modules_keep_the_shape_of_their_maps(module, width):
    with torch.device("meta"):
        assert module()(torch.zeros(2, width, 5, 9)).shape == (2, width, 5, 9)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Identity])
def test_a_residual_module_adds_a_scaled_correction(activation):
    torch.manual_seed(0)
    block, x = residual_c(0.2, activation).eval(), torch.randn(1, 2080, 2, 3)
    with torch.no_grad():
        expected = activation()(x + 0.2 * block.widen(block.branches(x)))
        torch.testing.assert_close(block(x), expected)


def test_the_scales_are_those_of_the_authors_code_and_the_last_block_has_no_relu():
    with torch.device("meta"):
        features = zoo.build("inception_resnet_v2").features
    blocks = {name: block for stage in features for name, block in stage.named_children() if name.startswith("block_")}
    assert [name for name in blocks if name.endswith(("_a10", "_b20", "_c10"))] == ["block_a10", "block_b20", "block_c10"]
    assert len(blocks) == 10 + 20 + 10
    scales = {"a": 0.17, "b": 0.1, "c": 0.2}
    last = blocks.pop("block_c10")
    assert all(block.scale == scales[name[6]] and isinstance(block.activation, nn.ReLU) for name, block in blocks.items())
    assert last.scale == 1
    assert isinstance(last.activation, nn.Identity)


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2"])
def test_logits_equal_timm_s_with_the_same_weights(name, same_logits):
    timm = pytest.importorskip("timm", reason="timm is the only library with this network; it is in the extra `dev`")
    same_logits(name, timm.create_model(name), 80, 75)


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2"])
def test_every_parameter_gets_a_gradient(name):
    with torch.device("meta"):
        network = zoo.build(name, classes=7, size=75)
        network(torch.zeros(2, 1, 75, 75)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
