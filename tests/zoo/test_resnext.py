import torch
import torchvision

from wiesel import zoo


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("resnext50_32x4d", torchvision.models.resnext50_32x4d(), 75, 64)


def test_the_3x3_have_32_groups_of_4_channels_at_first():
    with torch.device("meta"):
        network = zoo.build("resnext50_32x4d")
    found = [(stage.block1.conv2.groups, stage.block1.conv2.weight.shape[1]) for stage in list(network.features)[1:]]
    assert found == [(32, 4), (32, 8), (32, 16), (32, 32)]


def test_it_costs_nearly_what_its_resnet_costs():
    """Table 1 of the paper: 25.5 and 25.0 million parameters, 4.1 and 4.2 billion multiply-adds."""
    rows = [zoo.find("resnet50"), zoo.find("resnext50_32x4d")]
    assert [round(row.parameters / 1e6, 1) for row in rows] == [25.6, 25.0]
    assert [round(row.macs / 1e9, 1) for row in rows] == [4.1, 4.2]
