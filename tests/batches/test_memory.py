from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wiesel.batches import EvaluationBatches, Preprocessing
from wiesel.batches.inference import logits_of
from wiesel.batches.memory import available_bytes, batch_that_fits, is_out_of_memory, peak_bytes
from wiesel.images.dataset import images_of

PLAIN = Preprocessing(channels=1, height=4, width=4, mean=(0.0,), std=(1.0,))


def test_a_failed_allocation_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**50, dtype=torch.uint8)
    assert is_out_of_memory(found.value)
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**50, dtype=np.uint8)
    assert is_out_of_memory(numpys.value)
    with pytest.raises(RuntimeError) as other:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not is_out_of_memory(other.value)
    assert not is_out_of_memory(KeyError("out of memory"))


def test_the_peak_counts_what_lives_at_one_time() -> None:
    def work() -> None:
        kept = torch.zeros(1000)  # 4,000 bytes
        for _ in range(5):
            kept = kept + 1  # the old one is let go when the new one is there
        kept[:10].zero_()  # a view and a change in place take nothing

    assert peak_bytes(work) == 8000
    assert peak_bytes(lambda: None) == 0


def test_of_a_forward_and_a_backward_pass_the_saved_maps_are_counted() -> None:
    weight = torch.ones(1, requires_grad=True)

    def learn(count: int) -> None:
        maps = torch.ones(count, 250) * weight  # 1,000 bytes each, twice; the product is kept for the exponential's gradient
        maps.exp().sum().backward()

    difference = peak_bytes(lambda: learn(12)) - peak_bytes(lambda: learn(2))
    assert difference % 10_000 == 0
    assert 3 <= difference // 10_000 <= 5


class Room:
    """A step that takes 1 MB for each picture and fails beyond `most` of them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.tried: list[int] = []

    def __call__(self, count: int) -> None:
        self.tried.append(count)
        if count > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate …")
        torch.empty(count * 2**20, dtype=torch.uint8)


def test_the_measure_decides_and_nothing_larger_is_tried() -> None:
    room = Room(10_000)
    assert batch_that_fits(room, 5000, available=1300 * 2**20) == 800  # 0.8 of 1,300 MB, 1.3 MB each
    assert room.tried == [2, 8, 800]
    assert batch_that_fits(Room(10_000), 5000, available=1300 * 2**20, reserve=520 * 2**20) == 400


@pytest.mark.parametrize(("most", "asked"), [(100, 4096), (17, 64), (5, 64), (2, 3)])
def test_where_the_measure_is_wrong_or_missing_trying_goes_on(most: int, asked: int) -> None:
    found = batch_that_fits(Room(most), asked, available=None)
    assert most / 2 <= found <= most
    assert found % 8 == 0 or found < 16


def test_if_not_even_two_fit_the_answer_is_none() -> None:
    assert batch_that_fits(Room(1), 64, available=None) == 0
    assert batch_that_fits(Room(1000), 64, available=2**20) == 0


def test_another_error_is_not_taken_for_missing_memory() -> None:
    def broken(_count: int) -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        batch_that_fits(broken, 64, available=None)


@pytest.mark.skipif(not hasattr(torch, "ops") or available_bytes() is None, reason="this system does not tell its free memory")
def test_the_free_memory_is_plausible() -> None:
    free = available_bytes()
    assert free is not None
    assert 2**20 < free < 2**50


def test_where_a_batch_of_evaluation_finds_no_room_it_is_halved_and_every_picture_still_comes_once() -> None:
    sizes: list[int] = []

    class Greedy(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            sizes.append(len(pictures))
            if len(pictures) > 6:
                torch.empty(2**50, dtype=torch.uint8)
            return pictures.flatten(1)[:, :1]

    pixels = np.arange(50, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2)
    batches = EvaluationBatches(images_of(pixels, np.zeros(50), "test"), PLAIN, batch=20)
    logits = logits_of(Greedy(), batches)
    assert (logits[:, 0] * 255).round().astype(int).tolist() == list(range(50))
    assert sizes == [20, 10] + [5] * 10
    assert batches.batch == 20


def test_a_network_that_finds_no_room_for_one_picture_fails() -> None:
    class Hopeless(nn.Module):
        def forward(self, _pictures: torch.Tensor) -> torch.Tensor:
            return torch.empty(2**50, dtype=torch.uint8)

    few = images_of(np.zeros((9, 4, 4, 1), dtype=np.uint8), np.zeros(9), "test")
    with pytest.raises(RuntimeError, match="allocate"):
        logits_of(Hopeless(), EvaluationBatches(few, PLAIN))
