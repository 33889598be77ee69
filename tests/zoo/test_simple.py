import torch
from torch import nn
from torch.nn import functional

from wiesel import zoo


class SimpleByHand(nn.Module):
    """The two networks of the book in the plainest words, as an oracle: functional, one line per layer."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)

    def forward(self, x):
        return functional.relu(self.conv2(functional.relu(self.conv1(x))))


class HierarchicalByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64)
        self.conv2, self.bn2 = nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128)
        self.conv3, self.bn3 = nn.Conv2d(128, 256, 3, padding=1), nn.BatchNorm2d(256)

    def forward(self, x):
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = functional.relu(norm(conv(x)))
        return x


def test_the_feature_layers_are_exactly_the_book_s():
    for name, by_hand, channels in (("simple_cnn", SimpleByHand(), 1), ("hierarchical_cnn", HierarchicalByHand(), 3)):
        torch.manual_seed(0)
        features = zoo.build(name, channels=channels).features
        copied = dict(zip(by_hand.state_dict(), features.state_dict().values(), strict=True))
        by_hand.load_state_dict(copied)
        picture = torch.randn(2, channels, 9, 12)
        torch.testing.assert_close(features(picture), by_hand(picture))


def test_the_first_layer_has_the_320_parameters_that_the_book_counts():
    assert sum(p.numel() for p in zoo.build("simple_cnn").features.stage1.parameters()) == 320


def test_the_head_is_the_mean_of_each_map_and_one_linear_layer():
    assert [name for name, _ in zoo.build("simple_cnn").head.named_children()] == ["pool", "flatten", "linear"]
    assert zoo.build("hierarchical_cnn", classes=4).head.linear.weight.shape == (4, 256)
