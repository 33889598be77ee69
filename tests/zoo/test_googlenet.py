import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import cross_entropy

from wiesel import zoo
from wiesel.errors import PictureTooSmall
from wiesel.zoo.auxiliary import TrainingLogits
from wiesel.zoo.googlenet import STAGES, InceptionModule


def count(name, **options):
    with torch.device("meta"):
        return sum(p.numel() for p in zoo.build(name, classes=1000, channels=3, **options).parameters())


def test_the_module_of_the_book_gives_256_maps():
    module = InceptionModule(3, 64, 96, 128, 16, 32, 32)
    assert module(torch.randn(1, 3, 28, 28)).shape == (1, 256, 28, 28)


def test_the_module_is_its_four_branches_stacked():
    torch.manual_seed(0)
    module, x = InceptionModule(3, 4, 2, 5, 2, 6, 7).eval(), torch.randn(2, 3, 9, 8)

    def layer(part, maps):
        return part.norm(part.conv(maps)).relu()

    with torch.no_grad():
        branches = module(x).split([4, 5, 6, 7], dim=1)
        torch.testing.assert_close(branches[0], layer(module.branch1x1, x))
        torch.testing.assert_close(branches[1], layer(module.branch3x3.conv, layer(module.branch3x3.reduce, x)))
        torch.testing.assert_close(branches[2], layer(module.branch5x5.conv, layer(module.branch5x5.reduce, x)))
        around = nn.functional.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2))
        torch.testing.assert_close(branches[3], layer(module.branch_pool.project, around))
    kernels = [layer.kernel_size for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(1, 1), (1, 1), (3, 3), (1, 1), (5, 5), (1, 1)]


def test_a_module_has_the_parameters_counted_by_hand():
    """3a of table 1 on 192 maps: weights, and 2 for each norm's map."""
    weights = 192 * 64 + 192 * 96 + 96 * 128 * 9 + 192 * 16 + 16 * 32 * 25 + 192 * 32
    norms = 2 * (64 + 96 + 128 + 16 + 32 + 32)
    assert sum(p.numel() for p in InceptionModule(192, 64, 96, 128, 16, 32, 32).parameters()) == weights + norms


def test_the_filters_of_the_paper_have_16_more_weights_for_each_pair_of_channels():
    pairs = sum(reduced * width for stage in STAGES.values() for _, _, _, reduced, width, _ in stage.values())
    assert count("googlenet_5x5") - count("googlenet") == 16 * pairs == 380_928


def test_the_name_counts_22_layers_with_weights():
    """Section 5: a module is two deep."""
    assert 3 + 2 * sum(len(stage) for stage in STAGES.values()) + 1 == 22


@pytest.mark.parametrize("name", ["googlenet", "googlenet_5x5"])
def test_map_sizes(name, sides):
    assert sides(name, 224) == [28, 28, 14, 7]
    assert sides(name, 28) == [28, 28, 14, 7]
    assert sides(name, 64) == [8, 8, 4, 2]


@pytest.mark.parametrize(
    ("name", "stem", "side"),
    [("googlenet", "small", 2), ("googlenet", "imagenet", 15), ("googlenet_5x5", "small", 4), ("googlenet_5x5", "imagenet", 31)],
)
def test_the_smallest_side_is_the_one_named(name, stem, side):
    with torch.device("meta"), torch.no_grad():
        network = zoo.build(name, size=side, stem=stem).eval()
        assert network(torch.zeros(2, 1, side, side)).shape == (2, 10)
        with pytest.raises(RuntimeError):
            network.features(torch.zeros(2, 1, side, side - 1))
        with pytest.raises(PictureTooSmall, match=f"{side} x {side}"):
            zoo.build(name, size=side - 1, stem=stem)


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    theirs = torchvision.models.googlenet(aux_logits=False, init_weights=False)
    same_logits("googlenet", theirs, 75, 64)


def test_auxiliary_heads_are_torchvision_s():
    theirs = torchvision.models.googlenet(aux_logits=True, init_weights=False).eval()
    with torch.device("meta"):
        ours = zoo.build("googlenet", classes=1000, channels=3, auxiliary=True).eval()
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters()) == 13_004_888
    assert list(ours.auxiliary) == ["inception4a", "inception4d"]
    for head, aux, channels in zip(ours.auxiliary.values(), (theirs.aux1, theirs.aux2), (512, 528), strict=True):
        head.load_state_dict(dict(zip(head.state_dict(), aux.state_dict().values(), strict=True)), assign=True)
        maps = torch.randn(2, channels, 14, 14, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            torch.testing.assert_close(head(maps), aux(maps), rtol=1e-4, atol=1e-4)


def test_auxiliary_logits_are_given_in_training_only_and_reach_every_parameter():
    torch.manual_seed(0)
    network = zoo.build("googlenet", classes=4, size=16, auxiliary=True)
    pictures, labels = torch.randn(2, 1, 16, 16), torch.tensor([1, 3])
    given = network(pictures)
    assert isinstance(given, TrainingLogits)
    assert [logits.shape for logits in (given.logits, *given.auxiliary)] == [(2, 4)] * 3
    loss = cross_entropy(given.logits, labels) + 0.3 * sum(cross_entropy(logits, labels) for logits in given.auxiliary)
    loss.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    with torch.no_grad():
        assert network.eval()(pictures).shape == (2, 4)
        with pytest.raises(PictureTooSmall):
            network.train()(pictures[:, :, :1])


def test_each_auxiliary_head_sees_the_maps_of_its_module():
    torch.manual_seed(0)
    network, pictures, seen = zoo.build("googlenet", classes=4, size=16, auxiliary=True), torch.randn(2, 1, 16, 16), {}
    for name in network.auxiliary:
        network.features.stage2.get_submodule(name).register_forward_hook(lambda _l, _i, maps, name=name: seen.update({name: maps}))
        network.auxiliary[name].register_forward_hook(lambda _l, inputs, _o, name=name: seen.update({"head " + name: inputs[0]}))
    with torch.no_grad():
        network(pictures)
    assert all(torch.equal(seen[name], seen["head " + name]) for name in ("inception4a", "inception4d"))


def test_without_auxiliary_heads_training_gives_a_tensor():
    assert zoo.build("googlenet", size=8)(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
