import io
import pickle
import re

import pytest
import safetensors.torch
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.errors import DamagedWeights, MissingWeight, NoSuchWeights, PickledWeights, UnexpectedWeight, WrongShape

timm = pytest.importorskip("timm", reason="timm is in the extra `dev`")

# Members of families of which a smaller one is compared by its logits, in the test of its own file.
MEMBERS = {
    "vgg11": "torchvision:vgg11",
    "vgg13": "torchvision:vgg13",
    "vgg13_bn": "torchvision:vgg13_bn",
    "vgg16": "torchvision:vgg16",
    "vgg16_bn": "torchvision:vgg16_bn",
    "vgg19": "torchvision:vgg19",
    "vgg19_bn": "torchvision:vgg19_bn",
    "resnet34": "torchvision:resnet34",
    "resnet101": "torchvision:resnet101",
    "resnet152": "torchvision:resnet152",
    "densenet169": "torchvision:densenet169",
    "mobilenet_v3_large": "torchvision:mobilenet_v3_large",
    "regnet_y_800mf": "torchvision:regnet_y_800mf",
    "convnext_small": "torchvision:convnext_small",
    "convnext_base": "torchvision:convnext_base",
    "efficientnet_b1": "torchvision:efficientnet_b1",
    "efficientnet_b2": "torchvision:efficientnet_b2",
    "efficientnet_b3": "torchvision:efficientnet_b3",
    "efficientnet_b4": "torchvision:efficientnet_b4",
    "efficientnet_b5": "torchvision:efficientnet_b5",
    "efficientnet_b6": "torchvision:efficientnet_b6",
    "efficientnet_b7": "torchvision:efficientnet_b7",
    "efficientnet_l2": "timm:efficientnet_l2",
    "efficientnet_lite1": "timm:tf_efficientnet_lite1",
}


def of_library(name):
    library, _, network = name.partition(":")
    return timm.create_model(network) if library == "timm" else torchvision.models.get_model(network, weights=None)


def epsilons(network):
    return [layer.eps for layer in network.modules() if isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm))]


def small():
    torch.manual_seed(0)
    return torchvision.models.squeezenet1_1(num_classes=10), zoo.build("squeezenet1_1", classes=10, channels=3)


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_takes_the_other_library_s_names_shapes_and_epsilons(name):
    with torch.device("cpu" if "regnet" in name else "meta"):
        theirs = of_library(MEMBERS[name])
    with torch.device("meta"):
        ours = zoo.build(name, classes=1000, channels=3)
    zoo.load_weights(ours, theirs.state_dict())
    assert epsilons(ours) == epsilons(theirs)


@pytest.mark.parametrize(("name", "height"), [("efficientnet_lite0", 75), ("efficientnet_lite2", 64)])
def test_logits_of_lite_equal_timm_s(name, height, same_logits):
    same_logits(name, timm.create_model(f"tf_{name}"), height, 64)


def test_squeeze_and_excitation_of_timm_goes_where_it_belongs(same_logits):
    same_logits("efficientnet_b0", timm.create_model("efficientnet_b0"), 75, 64)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads_are_taken_if_the_network_has_them_and_left_if_not(name):
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None, aux_logits=True, init_weights=False)
        without = torchvision.models.get_model(name, weights=None, aux_logits=False, init_weights=False)
        for auxiliary in (False, True):
            zoo.load_weights(zoo.build(name, 1000, 3, auxiliary=auxiliary), theirs.state_dict())
        with pytest.raises(MissingWeight, match=r"lack '(aux1|AuxLogits)"):
            zoo.load_weights(zoo.build(name, 1000, 3, auxiliary=True), without.state_dict())
        ours = zoo.build(name, 1000, 3, auxiliary=True)
    head = next(iter(ours.auxiliary.values()))
    zoo.load_weights(ours, {**theirs.state_dict()})
    assert sum(p.numel() for p in head.parameters()) > 0


def test_weights_are_copied_not_shared_and_type_and_device_stay():
    theirs, ours = small()
    for target in (ours, zoo.build("squeezenet1_1", classes=10, channels=3).double()):
        zoo.load_weights(target, theirs.state_dict())
        weight = target.features.stem.conv.weight
        assert weight.dtype == (torch.float32 if target is ours else torch.float64)
        torch.testing.assert_close(weight.float(), theirs.features[0].weight, rtol=0, atol=0)
        with torch.no_grad():
            weight.zero_()
        assert theirs.features[0].weight.abs().sum() > 0
    with torch.device("meta"):
        made = zoo.build("squeezenet1_1", classes=10, channels=3)
    zoo.load_weights(made, theirs.state_dict())
    assert all(p.requires_grad and p.device.type == "cpu" for p in made.parameters())
    with torch.no_grad():
        made.features.stem.conv.weight.zero_()
    assert theirs.features[0].weight.abs().sum() > 0


def test_our_own_names_are_taken_as_they_are():
    torch.manual_seed(0)
    first, second = zoo.build("resnet20"), zoo.build("resnet20")
    zoo.load_weights(second, first.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True))


def test_a_network_of_another_library_takes_its_own_names():
    first, second = (zoo.build("timm:resnet10t", classes=3, size=32) for _ in range(2))
    zoo.load_weights(second, first.state_dict())
    assert torch.equal(first.fc.weight, second.fc.weight)


def test_files_from_before_norms_counted_batches_are_taken():
    theirs = torchvision.models.resnet18(num_classes=10)
    old = {name: values for name, values in theirs.state_dict().items() if "num_batches" not in name}
    zoo.load_weights(zoo.build("resnet18", channels=3, size=64), old)
    with torch.device("meta"):
        made = zoo.build("resnet18", channels=3, size=64)
    zoo.load_weights(made, old)
    assert made.features.stem.norm.num_batches_tracked.item() == 0
    old["bn1.num_batches_tracked"] = torch.tensor(3)
    with pytest.raises(MissingWeight, match=r"lack 'layer1\.0\.bn1\.num_batches_tracked' \(19 missing\)"):
        zoo.load_weights(zoo.build("resnet18", channels=3, size=64), old)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (lambda given: given.pop("features.3.squeeze.bias"), MissingWeight, r"lack 'features\.3\.squeeze\.bias' \(1 missing\)\."),
        (lambda given: given.update(extra=torch.zeros(1)), UnexpectedWeight, r"hold 'extra', which .* \(1 too many\)\."),
        (
            lambda given: given.update({"classifier.1.weight": torch.zeros(1000, 512, 1, 1)}),
            WrongShape,
            r"'classifier\.1\.weight' is 1000 x 512 x 1 x 1, and the network needs 10 x 512 x 1 x 1\.",
        ),
        (lambda given: given.update(one=given.pop("classifier.1.bias")), MissingWeight, r"lack 'classifier\.1\.bias'"),
        (lambda given: given.clear(), MissingWeight, r"lack 'features\.stem\.conv\.weight' \(52 missing\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name_and_nothing_changes(change, error, sentence, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    theirs, ours = small()
    before = {name: values.clone() for name, values in ours.state_dict().items()}
    given = dict(theirs.state_dict())
    change(given)
    with pytest.raises(error, match=sentence):
        zoo.load_weights(ours, given)
    assert all(torch.equal(values, before[name]) for name, values in ours.state_dict().items())


def test_another_network_s_weights_name_what_is_missing(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "de")
    with torch.device("meta"), pytest.raises(MissingWeight, match=r"fehlt 'layer1\.2\.conv1\.weight'"):
        zoo.load_weights(zoo.build("resnet34", 1000, 3), torchvision.models.resnet18().state_dict())


# --- files -------------------------------------------------------------------------------------------------------------------


def test_a_safetensors_file_is_read(tmp_path):
    theirs, ours = small()
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    zoo.load_weights_file(ours, tmp_path / "w.safetensors")
    assert torch.equal(ours.head.conv.bias, theirs.classifier[1].bias)


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
@pytest.mark.parametrize("kind", ["zip", "old", "plain", "protocol 0 in a tar"])
def test_a_pickle_is_refused_unread_whatever_its_name(kind, name, tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    content = {"a": Canary(tmp_path / "canary")}
    path = tmp_path / name
    if kind == "plain":
        path.write_bytes(pickle.dumps(content))
    elif kind == "protocol 0 in a tar":
        import tarfile

        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo("pickle")
            data = pickle.dumps(content, protocol=0)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(PickledWeights, match="is a pickle, which can run any program"):
        zoo.load_weights_file(small()[1], path)
    assert not (tmp_path / "canary").exists()


def test_the_way_to_convert_a_pickle_works(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    theirs, ours = small()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    with pytest.raises(PickledWeights) as caught:
        zoo.load_weights_file(ours, tmp_path / "w.pth")
    program = re.sub(r"^ +", "", str(caught.value).partition("\n")[2], flags=re.MULTILINE)
    assert len(program.splitlines()) == 2
    exec(program, {})
    zoo.load_weights_file(ours, tmp_path / "w.safetensors")
    assert torch.equal(ours.head.conv.bias, theirs.classifier[1].bias)


@pytest.mark.parametrize("content", [b"", b"hello, this is text", b"\x10\0\0\0\0\0\0\0{", b"PK\5\6" + bytes(18)])
def test_a_file_that_is_no_safetensors_is_refused(content, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(DamagedWeights, match=r"w\.safetensors"):
        zoo.load_weights_file(small()[1], tmp_path / "w.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NoSuchWeights, match=r"w\.safetensors"):
        zoo.load_weights_file(small()[1], tmp_path / "w.safetensors")


def test_a_safetensors_header_whose_length_looks_like_a_pickle_is_read(tmp_path):
    """Headers of 0x0280 bytes begin with the same two bytes as a pickle."""
    path = tmp_path / "w.safetensors"
    tensors = {"a": torch.zeros(1)}
    for length in range(1, 800):
        safetensors.torch.save_file(tensors, path, metadata={"note": "x" * length})
        if path.read_bytes()[:2] == b"\x80\x02":
            break
    assert path.read_bytes()[:2] == b"\x80\x02"
    from wiesel.zoo.weights import read_safetensors

    assert list(read_safetensors(path)) == ["a"]
