"""Features: the inputs of the last layer, computed once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wiesel import zoo
from wiesel.batches import EvaluationBatches, Preprocessing
from wiesel.errors import NoLinearHead
from wiesel.images import DataSet
from wiesel.training import features
from wiesel.training.features import features_of, linear_head


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(features, "PART", 64)
    return tmp_path / "cache"


NAMED = {"weights": "w", "fingerprint": "f", "precision": "fp32"}


def network() -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return zoo.build("hierarchical_cnn", classes=4, channels=1, size=12).eval()


def test_the_head_on_the_features_gives_the_logits(cache: Path, data: DataSet, preprocessing: Preprocessing) -> None:
    net = network()
    head = linear_head(net, preprocessing.image, "n")
    found = features_of(net, head, data.train, preprocessing, **NAMED)
    assert found.shape == (len(data.train), head.in_features)
    with torch.no_grad():
        logits = torch.cat([net(batch.pictures) for batch in EvaluationBatches(data.train, preprocessing)])
        assert torch.allclose(head(torch.from_numpy(found)), logits, atol=1e-5)


def test_they_are_computed_once_and_a_damaged_part_again(
    cache: Path, data: DataSet, preprocessing: Preprocessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network()
    head = linear_head(net, preprocessing.image, "n")
    first = features_of(net, head, data.train, preprocessing, **NAMED)
    parts = sorted((cache / "features").glob("*/*"))
    assert [part.name for part in parts] == ["00000.npy", "00001.npy", "00002.npy"]
    seen: list[int] = []
    computed = features._computed

    def counted(*arguments: object) -> object:
        seen.append(1)
        return computed(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(features, "_computed", counted)
    assert np.array_equal(features_of(net, head, data.train, preprocessing, **NAMED), first)
    assert not seen
    parts[1].write_bytes(parts[1].read_bytes()[:-100])
    assert np.array_equal(features_of(net, head, data.train, preprocessing, **NAMED), first)
    assert len(seen) == 1
    for other in ({"weights": "other"}, {"fingerprint": "other"}, {"precision": "bf16"}, {"mirrored": True}):
        seen.clear()
        features_of(net, head, data.train, preprocessing, **{**NAMED, **other})  # type: ignore[arg-type]
        assert len(seen) == 3


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, data: DataSet, preprocessing: Preprocessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "file" / "cache"))
    net = network()
    found = features_of(net, linear_head(net, preprocessing.image, "n"), data.train, preprocessing, **NAMED)
    assert np.isfinite(found).all()


def test_mirrored_features_are_those_of_mirrored_pictures(cache: Path, data: DataSet, preprocessing: Preprocessing) -> None:
    from dataclasses import replace

    net = network()
    head = linear_head(net, preprocessing.image, "n")
    turned = replace(data.train, pixels=np.ascontiguousarray(data.train.pixels[:, :, ::-1]))
    mirrored = features_of(net, head, data.train, preprocessing, mirrored=True, **NAMED)
    assert np.allclose(mirrored, features_of(net, head, turned, preprocessing, **{**NAMED, "fingerprint": "t"}), atol=1e-6)


@pytest.mark.parametrize("name", ["squeezenet1_1"])
def test_a_network_without_a_linear_end_is_refused(name: str) -> None:
    net = zoo.build(name, classes=4, channels=3, size=64)
    with pytest.raises(NoLinearHead, match="--mode finetune"):
        linear_head(net, (3, 64, 64), name)
