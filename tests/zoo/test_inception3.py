import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.errors import PictureTooSmall
from wiesel.zoo.auxiliary import TrainingLogits
from wiesel.zoo.inception3 import five_by_five, seven_by_one, wide


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_map_sizes(sides):
    assert sides("inception_v3", 299) == [35, 35, 17, 8]
    assert sides("inception_v3", 75) == [7, 7, 3, 1]


@pytest.mark.parametrize(
    ("module", "width"),
    [(five_by_five(8, pool_width=32), 256), (seven_by_one(8, width=16), 768), (wide(8), 2048)],
)
def test_modules_keep_the_size_of_their_maps_and_give_the_widths_of_their_names(module, width):
    assert module(torch.zeros(2, 8, 5, 9)).shape == (2, width, 5, 9)


def test_factorised_filters_cost_less_than_what_they_replace():
    """Section 3: 18 weights instead of 25 for two 3x3, 14 instead of 49 for a 1x7 and a 7x1."""
    with torch.device("meta"):
        module = seven_by_one(768, width=192)
        kernels = [layer.kernel_size for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(1, 1), (1, 1), (1, 7), (7, 1), (1, 1), (7, 1), (1, 7), (7, 1), (1, 7), (1, 1)]
    # With 192 maps everywhere: four 1x1 on 768 maps, six of 7 weights on 192, and 2 for each of the norms' maps.
    assert count(module) == 4 * 768 * 192 + 6 * 7 * 192 * 192 + 10 * 2 * 192


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    theirs = torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    same_logits("inception_v3", theirs, 96, 75)


def test_the_auxiliary_head_is_torchvision_s():
    with torch.device("meta"):
        ours = zoo.build("inception_v3", classes=1000, channels=3, auxiliary=True).eval()
    assert count(ours) == 27_161_264
    assert list(ours.auxiliary) == ["inception6e"]
    torch.manual_seed(0)
    theirs, head = torchvision.models.inception.InceptionAux(768, 1000).eval(), ours.auxiliary.inception6e
    theirs.conv1.bn.running_var.uniform_(0.1, 0.5)
    head.load_state_dict(dict(zip(head.state_dict(), theirs.state_dict().values(), strict=True)), assign=True)
    maps = torch.randn(2, 768, 17, 17)
    with torch.no_grad():
        torch.testing.assert_close(head(maps), theirs(maps), rtol=1e-4, atol=1e-4)


def test_auxiliary_logits_are_given_in_training_only():
    with torch.device("meta"):
        network = zoo.build("inception_v3", auxiliary=True)
        given = network(torch.zeros(2, 1, 299, 299))
        assert isinstance(given, TrainingLogits)
        assert [logits.shape for logits in (given.logits, *given.auxiliary)] == [(2, 10), (2, 10)]
        (given.logits.sum() + given.auxiliary[0].sum()).backward()
        assert [name for name, p in network.named_parameters() if p.grad is None] == []
        with torch.no_grad():
            assert network.eval()(torch.zeros(2, 1, 299, 299)).shape == (2, 10)
        with pytest.raises(PictureTooSmall, match="299 x 299"):
            zoo.build("inception_v3", size=298, auxiliary=True)
        network.smallest = (1, 1)
        with pytest.raises(RuntimeError):  # the size named is the smallest indeed: one pixel less leaves the head without a map
            network.train()(torch.zeros(2, 1, 298, 299))
