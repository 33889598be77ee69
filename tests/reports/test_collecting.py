"""Facts are what the run folder, the network and the pictures say."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.reports.example_run import blobs, epoch_rows, logits_like, write_run
from wiesel.errors import NoPredictions
from wiesel.evaluation import Predictions
from wiesel.images import DataSet
from wiesel.reports.collecting import collect, history
from wiesel.reports.facts import Facts
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder


def pixels(png: bytes | None) -> np.ndarray:
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)))


def test_denormalised_pictures_equal_the_original_bytes(facts: Facts, data: DataSet) -> None:
    assert data.test is not None
    assert len(facts.first) == 25
    for picture in (*facts.first, *facts.mistakes):
        assert np.array_equal(pixels(picture.png), data.test.pixels[picture.index, :, :, 0])
        assert picture.name == data.test.names[picture.index]
        assert picture.truth == data.test.labels[picture.index]


def test_colour_pictures_survive_normalisation_too(folder: Path) -> None:
    data = blobs(["a", "b", "c"], channels=3, side=8, test=9)
    assert data.test is not None
    facts = collect(write_run(folder, data, architecture="resnet20"), data)
    assert all(np.array_equal(pixels(p.png), data.test.pixels[p.index]) for p in facts.first)
    assert facts.network.filters is not None
    assert all(len(one.planes) == 3 for one in facts.network.filters.filters)


def test_softmax_is_that_of_the_saved_logits(facts: Facts, run: RunFolder) -> None:
    logits = torch.from_numpy(Predictions.from_file(run.predictions("test")).logits[:6]).double()
    assert np.allclose(np.stack([one.probabilities for one in facts.softmax]), torch.softmax(logits, dim=1).numpy(), atol=1e-12)


def test_mistakes_are_wrong_and_come_from_sure_to_unsure(facts: Facts) -> None:
    assert all(not picture.right for picture in facts.mistakes)
    sure = [picture.confidence for picture in facts.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert len(facts.mistakes) == min(18, sum(1 for _ in facts.mistakes))


def test_pairs_show_pictures_of_that_pair_only(facts: Facts) -> None:
    assert facts.pairs
    for pair in facts.pairs:
        assert pair.count == facts.evaluation.confusion[pair.truth][pair.prediction]
        assert 0 < len(pair.pictures) == min(6, pair.count)
        assert all((p.truth, p.prediction) == (pair.truth, pair.prediction) for p in pair.pictures)


def test_range_statements_match_the_maps_of_a_forward_pass(facts: Facts, run: RunFolder, data: DataSet) -> None:
    assert facts.walk is not None
    assert data.test is not None
    model = trained.load(run)
    x = model.preprocessing.normalise(torch.from_numpy(data.test.pixels[:1]))
    with torch.no_grad():
        for name, stage in model.network.features.named_children():  # type: ignore[union-attr]
            x = stage(x)
            found = next(layer for layer in reversed(facts.walk.layers) if layer.layer.startswith(f"features.{name}"))
            assert (found.low, found.high) == pytest.approx((x.min().item(), x.max().item()), abs=1e-5)
            assert found.zeros == pytest.approx((x == 0).double().mean().item(), abs=1e-9)


def test_pictures_are_found_by_name_also_in_another_order(facts: Facts, run: RunFolder, data: DataSet) -> None:
    assert data.test is not None
    turned = replace(data, test=data.test.take(np.arange(len(data.test))[::-1]))
    assert [p.png for p in collect(run, turned).first] == [p.png for p in facts.first]


def test_pictures_of_other_names_or_labels_are_not_shown(run: RunFolder, data: DataSet) -> None:
    assert data.test is not None
    other_labels = replace(data.test, labels=(data.test.labels + 1) % 5)
    for test in (None, data.test.take(np.arange(10)), other_labels):
        found = collect(run, replace(data, test=test))
        assert not found.has_pictures
        assert found.walk is None
        assert all(picture.png is None for picture in found.first)


def test_without_data_everything_else_is_there(run: RunFolder, facts: Facts) -> None:
    found = collect(run, None)
    assert found.evaluation == facts.evaluation
    assert found.sizes == {"test": 60}
    assert [(p.name, p.prediction) for p in found.first] == [(p.name, p.prediction) for p in facts.first]


def test_a_run_without_predictions_says_what_to_do(folder: Path) -> None:
    data = blobs(["a", "b"])
    run = write_run(folder, data, architecture="resnet20")
    run.predictions("test").unlink()
    with pytest.raises(NoPredictions, match="wiesel evaluate"):
        collect(run, data)


def test_large_pictures_are_reduced_and_it_is_said(folder: Path) -> None:
    data = blobs(["a", "b"], side=100, test=4, train=4)
    found = collect(write_run(folder, data, architecture="resnet20"), data, longest_side=50)
    assert found.shown_at == 50
    assert pixels(found.first[0].png).shape == (50, 50)
    assert data.test is not None
    expected = data.test.pixels[0, :, :, 0].reshape(50, 2, 50, 2).mean(axis=(1, 3))
    assert np.abs(pixels(found.first[0].png) - expected).max() <= 0.5


def test_the_history_undoes_interruptions() -> None:
    plain = epoch_rows(5, 20)
    half = [row for row in plain if row["step"] <= 47]
    resumed = [*half, {"kind": "stop", "step": 47}, {"kind": "resume", "step": 40}, *(row for row in plain if row["step"] > 40)]
    end = {"kind": "end", "step": 100, "seconds": 64.0}
    whole, found = history([*plain, end], planned=5), history([*resumed, end], planned=5)
    assert replace(found, resumed=0) == whole
    assert (found.resumed, found.seconds, found.best, found.done, found.stopped_early) == (1, 64.0, 4, 5, False)


def test_the_best_epoch_is_the_one_that_training_kept() -> None:
    kept = {1: True, 2: False, 3: True, 4: False}  # the first two with small pictures, which do not compete
    rows = [
        {**row, "best": kept[row["epoch"]], "validation_accuracy": 0.9 / row["epoch"]} if row["kind"] == "epoch" else row
        for row in epoch_rows(4, 10)
    ]
    assert history(rows, planned=9).best == 3
    assert history(rows, planned=9).stopped_early


def test_looks_at_the_test_split_are_counted_even_though_they_share_a_step(folder: Path) -> None:
    data = blobs(["a", "b"])
    assert collect(write_run(folder, data, architecture="resnet20", looks=3), data).origin.looks == 3


def test_an_evaluation_of_other_predictions_is_not_believed(folder: Path) -> None:
    data = blobs(["a", "b"])
    assert data.test is not None
    run = write_run(folder, data, architecture="resnet20")
    fewer = Predictions.of(logits_like(data.test.labels[:20], 2), data.test.labels[:20], data.test.names[:20])
    run.predictions("test").write_bytes(fewer.to_bytes())
    assert collect(run, data).evaluation.n == 20
