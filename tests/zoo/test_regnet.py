from itertools import groupby

import pytest
import torch
import torchvision

from wiesel.zoo.regnet import YBlock, widths


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("regnet_y_400mf", torchvision.models.regnet_y_400mf(), 75, 64)


# Stages as the paper lists them (400MF), and as torchvision 0.29.1 builds them (800MF).
@pytest.mark.parametrize(
    ("rule", "stages"),
    [
        ((48, 27.89, 2.09, 16, 8), [(1, 48), (3, 104), (6, 208), (6, 440)]),
        ((56, 38.84, 2.4, 14, 16), [(1, 64), (3, 144), (8, 320), (2, 784)]),
    ],
)
def test_stages_follow_from_the_rule(rule, stages):
    assert [(len(list(equal)), width) for width, equal in groupby(widths(*rule))] == stages


def test_a_rule_by_hand():
    # u = 8, 16, 24, 32 are 0, 1, 1.58 and 2 doublings of 8: the nearest whole ones are 0, 1, 2, 2.
    assert widths(8, 8.0, 2.0, 4, 8) == [8, 16, 32, 32]
    assert widths(8, 8.0, 2.0, 4, 16) == [16, 16, 32, 32]


def test_a_block_is_the_relu_of_shortcut_plus_excited_correction():
    torch.manual_seed(0)
    block, x = YBlock(8, 16, 2, group=4).eval(), torch.randn(2, 8, 7, 6)
    inner = block.norm2(block.conv2(block.norm1(block.conv1(x)).relu())).relu()
    torch.testing.assert_close(block(x), (block.shortcut(x) + block.norm3(block.conv3(block.squeeze_excite(inner)))).relu())
    assert block.conv2.groups == 4
    assert block.squeeze_excite.reduce.out_channels == 2


@pytest.mark.parametrize(
    ("side", "stem", "expected"),
    [(224, "auto", [112, 56, 28, 14, 7]), (28, "auto", [28, 14, 7, 4, 2]), (28, "imagenet", [14, 7, 4, 2, 1])],
)
def test_map_sizes(side, stem, expected, sides):
    assert sides("regnet_y_400mf", side, stem=stem) == expected
