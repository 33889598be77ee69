"""`wiesel bench`: the ways learn what they say they learn, and its figures are those that were measured."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest
import torch

from wiesel import images
from wiesel.batches import measure
from wiesel.cli import run
from wiesel.jobs import bench
from wiesel.jobs.bench import Bench, Rate
from wiesel.jobs.presets import PRESETS
from wiesel.training.throughput import Throughput


@pytest.fixture(scope="module")
def split():
    return images.load("fashion-mnist-sample").train.take(range(70))


def small(preset):
    return dataclasses.replace(PRESETS[preset], training=dataclasses.replace(PRESETS[preset].training, batch=8))


def test_every_way_works_through_the_pictures_it_counts(split):
    preprocessing = measure(split.pixels)
    generator = torch.random.get_rng_state()
    for recipe in (dataclasses.replace(small("standard"), architecture="resnet20"), small("fast")):
        assert bench._ours(recipe, split, preprocessing, 2, "fp32")() == 16
        assert bench._plain(recipe, split, preprocessing, 2)() == 16
    assert bench._from_memory(split, preprocessing)() == 70
    assert torch.equal(torch.random.get_rng_state(), generator)


def test_the_loader_gives_every_picture_of_the_plain_way(split):
    pytest.importorskip("torchvision")
    with torch.random.fork_rng(devices=[]):
        assert bench._one_by_one(split, measure(split.pixels))() == 70


def test_the_ways_take_turns_and_the_first_round_does_not_count():
    turns = []

    def way(name, seconds):
        def work():
            turns.append(name)
            time.sleep(seconds if len(turns) > 2 else 0.2)  # a slow first round
            return 10

        return work

    rates = bench._in_turn({"memory": way("memory", 0.01), "loader": way("loader", 0.02)}, 3)
    assert turns == ["memory", "loader"] * 4
    assert [len(found) for found in rates.values()] == [3, 3]
    assert max(rates["memory"]) <= 1000  # nobody can be faster than his sleep
    assert max(rates["loader"]) <= 500


def found():
    speed = Throughput(convolution=200e9, matrix_product=100e9, step=150e9, pictures=55.0)
    rates = {"memory": bench._rate([90_000.0, 80_000.0, 85_000.0]), "loader": bench._rate([4_000.0, 4_250.0, 5_000.0])}
    conditions = {"versions": {"torch": "2"}, "machine": {"cpu": "x"}, "threads": 2, "precision": "fp32", "rounds": 3}
    return Bench(rates, {"memory": bench._rate([22.5, 20.0, 17.0])}, speed, conditions, 12.34)


def test_a_rate_is_the_median_with_its_range():
    assert found().rates["memory"] == Rate(median=85_000.0, low=80_000.0, high=90_000.0)
    facts = json.loads(json.dumps(found().to_json()))
    assert facts["pictures_per_second"]["loader"] == {"median": 4250.0, "low": 4000.0, "high": 5000.0}
    assert facts["ratios"]["memory"]["median"] == 20.0
    assert facts["gflops"] == {"convolution": 200.0, "matrix_product": 100.0, "training_step": 150.0}
    assert facts["training_step_share"] == 0.75


def test_the_table_speaks_the_readers_language(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert found().rows()[0] == ("loading pictures, ours", "85,000", "80,000 – 90,000", "20.0 (17.0 – 22.5)")
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert found().rows()[0][0] == "Bilder laden, unser Weg"
    assert found().rows()[0][3] == "20,0 (17,0 – 22,5)"
    assert found().rows()[1][3] == ""


def test_no_rounds_are_refused(capsys):
    assert run(["bench", "--rounds", "0"]) == 2
    assert "rounds" in capsys.readouterr().err


@pytest.mark.slow  # trains ResNet-18 for some steps, about 30 s
def test_bench_measures_this_machine(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path))
    assert run(["bench", "--rounds", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pictures_per_second"].keys() >= {"resnet18", "resnet18_plain", "fast", "fast_plain", "memory"}
    assert facts["ratios"]["resnet18"]["median"] > 0
    assert facts["seconds"] < 300
