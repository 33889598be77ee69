import pytest
import torch

from wiesel import zoo
from wiesel.errors import BadValue


def parameters(name, **options):
    with torch.device("meta"):
        return sum(p.numel() for p in zoo.build(name, **options).parameters())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"classes": 1}, "classes = 1 is not possible: 2 or more."),
        ({"channels": 0}, "channels = 0 is not possible: 1 or more."),
        ({"size": 0}, "size = 0 is not possible: 1 pixel or more."),
        ({"size": (28, -1)}, "size = (28, -1) is not possible: 1 pixel or more."),
        ({"survival": 0.5}, "survival = 0.5 is not possible: 1, resnet18 has no stochastic depth."),
        ({"auxiliary": True}, "auxiliary = True is not possible: False, resnet18 has no auxiliary heads."),
        ({"survival": 0}, "survival = 0 is not possible: above 0, at most 1."),
        ({"stem": "large"}, "stem = 'large' is not possible: one of auto, small, imagenet."),
    ],
)
def test_a_value_outside_its_range_is_refused(options, sentence, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue) as caught:
        zoo.build("resnet18", **options)
    assert str(caught.value) == sentence


def test_a_stem_is_refused_where_there_is_no_choice(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(BadValue) as caught:
        zoo.build("lenet5", stem="small")
    assert str(caught.value) == "stem = 'small' ist nicht möglich: lenet5 hat nur einen Anfang: auto."


def test_without_a_size_a_network_is_the_one_of_its_row():
    assert parameters("resnet18", classes=1000, channels=3) == 11_689_512
    assert parameters("resnet18", classes=1000, channels=3, size=63) == 11_689_512 - 64 * 3 * (49 - 9)


def test_one_number_as_size_means_a_square():
    assert parameters("vgg11", size=48) == parameters("vgg11", size=(48, 48)) == parameters("vgg11", size=(48, 500))


def test_zero_init_last_norm_reaches_residual_networks_and_is_ignored_by_others():
    torch.manual_seed(0)
    for name in ("resnet18", "resnet20", "resnet50"):
        started, random = (zoo.build(name, size=28, zero_init_last_norm=zero) for zero in (True, False))
        assert (started.features.stage3.block1.last_norm.weight == 0).all()
        assert (random.features.stage3.block1.last_norm.weight == 1).all()
    zoo.build("lenet5", zero_init_last_norm=False)


def test_the_same_seed_gives_the_same_weights():
    torch.manual_seed(11)
    first = zoo.build("resnet20")
    torch.manual_seed(11)
    second = zoo.build("resnet20")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
