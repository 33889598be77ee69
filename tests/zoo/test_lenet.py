import torch
from torch.nn.functional import pad

from wiesel import zoo


def layers(network):
    return {
        name: sum(p.numel() for p in layer.parameters()) for name, layer in network.named_modules() if not list(layer.children())
    }


def test_each_layer_has_the_parameters_of_its_name():
    counted = layers(zoo.build("lenet5"))
    assert {name.split(".")[-1]: count for name, count in counted.items() if count} == {
        "c1": 6 * (25 + 1),
        "c3": 16 * (6 * 25 + 1),
        "c5": 120 * (16 * 25 + 1),
        "f6": 84 * (120 + 1),
        "output": 10 * (84 + 1),
    }
    assert sum(counted.values()) == 61_706


def test_maps_have_the_sizes_of_the_paper():
    network, sizes = zoo.build("lenet5"), {}
    for name, layer in network.features.named_modules():
        layer.register_forward_hook(lambda _l, _i, output, name=name: sizes.update({name.split(".")[-1]: tuple(output.shape[1:])}))
    network(torch.zeros(1, 1, 32, 32))
    assert {name: sizes[name] for name in ("c1", "s2", "c3", "s4", "c5")} == {
        "c1": (6, 28, 28),
        "s2": (6, 14, 14),
        "c3": (16, 10, 10),
        "s4": (16, 5, 5),
        "c5": (120, 1, 1),
    }


def test_28_pixels_are_seen_as_32_with_a_margin_of_two():
    torch.manual_seed(0)
    small, paper, picture = zoo.build("lenet5", size=28), zoo.build("lenet5"), torch.randn(3, 1, 28, 28)
    paper.load_state_dict(small.state_dict())
    torch.testing.assert_close(small(picture), paper(pad(picture, (2, 2, 2, 2))))


def test_subsampling_is_a_mean_and_the_activation_is_odd():
    torch.manual_seed(0)
    stage, picture = zoo.build("lenet5").features.stage1, torch.randn(1, 1, 32, 32)
    torch.testing.assert_close(stage(picture), -stage(-picture))  # biases start at 0
    mean = stage.tanh1(stage.c1(picture)).unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    torch.testing.assert_close(stage(picture), mean)
