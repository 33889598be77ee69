"""Optimiser states survive the way to the disc and back bit for bit."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from wiesel.errors import BadValue
from wiesel.runs.checkpoints import packed, tensors
from wiesel.runs.flattening import flatten, unflatten


def same(a: Any, b: Any) -> bool:
    """Equal in type, key, order, bits, dtype, shape and memory layout."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        layout = a.stride() == b.stride() or a.numel() <= 1
        return a.dtype == b.dtype and a.shape == b.shape and layout and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def through_the_disc(state: dict[str, Any], tmp_path) -> dict[str, Any]:
    flat, structure = flatten(state)
    return unflatten(tensors(packed(flat), tmp_path / "x"), json.loads(json.dumps(structure, allow_nan=False)))


def trained(make, network: nn.Module, steps: int = 3) -> torch.optim.Optimizer:
    optimizer = make(network.parameters())
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(4, 3, 8, 8, generator=generator)).square().mean().backward()
        optimizer.step()
    return optimizer


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 5))


OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd, momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.8, 0.99), amsgrad=True),
    "adamw, rate as a tensor": lambda p: torch.optim.AdamW(p, lr=torch.tensor(1e-3), capturable=False, foreach=False),
    "two groups": lambda p: torch.optim.SGD([{"params": (q := list(p))[:2], "lr": 0.5}, {"params": q[2:]}], lr=0.1, momentum=0.9),
    "rmsprop": lambda p: torch.optim.RMSprop(p, momentum=0.5, centered=True),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_state_of_a_real_optimiser_comes_back_exactly(name, tmp_path):
    state = trained(OPTIMISERS[name], network()).state_dict()
    assert same(through_the_disc(state, tmp_path), state)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_that_got_its_state_back_goes_on_with_the_same_bits(name, tmp_path):
    one = network()
    first = trained(OPTIMISERS[name], one)
    other = network(seed=5)
    second = OPTIMISERS[name](other.parameters())
    other.load_state_dict(tensors(packed(one.state_dict()), tmp_path / "x"))
    second.load_state_dict(through_the_disc(first.state_dict(), tmp_path))
    picture = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    for model, optimizer in ((one, first), (other, second)):
        for _ in range(3):
            optimizer.zero_grad()
            model(picture).square().mean().backward()
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_channels_last_buffers_come_back_channels_last(tmp_path):
    model = network().to(memory_format=torch.channels_last)
    state = trained(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), model).state_dict()
    assert not state["state"][0]["momentum_buffer"].is_contiguous()
    assert same(through_the_disc(state, tmp_path), state)


def test_tensor_names_are_dotted_paths():
    flat, _ = flatten({"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": torch.tensor(0.1)}]})
    assert list(flat) == ["state.0.momentum_buffer", "param_groups.0.lr"]


def test_whatever_json_would_bend_comes_back_straight(tmp_path):
    state = {
        "tuple": (1, (2.5, "x"), []),
        "keys": {0: "int", "0": "str", 7: {True: None}},
        "floats": [0.1, 1e-310, math.inf, -math.inf, math.nan, -0.0, 1.0],
        "ints": [2**80, -1, True],
        "a": {"b": torch.tensor([1, 2]), "": {}},
        "a.b": torch.tensor(3, dtype=torch.int16),
        "kinds": [torch.tensor([1.5], dtype=torch.bfloat16), torch.zeros(0, 3), torch.tensor(True), torch.tensor([2**40])],
        "words": {"tensor": "a.b", "float": "inf", "dict": [], "list": {}, "tuple": ""},
    }
    assert same(through_the_disc(state, tmp_path), state)
    assert math.copysign(1, through_the_disc(state, tmp_path)["floats"][5]) == -1


def test_an_object_is_refused_by_name():
    with pytest.raises(TypeError, match=r"param_groups\.0\.hook: function"):
        flatten({"param_groups": [{"hook": lambda: 0}]})


@pytest.mark.parametrize(
    "structure",
    [
        {"tensor": "absent"},
        {"dict": 3},
        {"dict": [["a"]]},
        {"dict": [[{"list": []}, 1]]},
        {"float": "much"},
        {"set": []},
        {},
        {"list": [], "tuple": []},
        {"list": [1]},
        3,
        {"dict": [["x", {"tensor": ["a"]}]]},
    ],
)
def test_a_structure_that_flatten_never_wrote_is_refused(structure):
    with pytest.raises(BadValue, match="optimizer"):
        unflatten({"a": torch.ones(1)}, structure)
