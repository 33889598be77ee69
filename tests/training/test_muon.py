"""Muon turns filters by orthogonal steps of a stated length; everything else is AdamW, as torch has it."""

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.recipe import Training
from wiesel.training.muon import QUINTIC, Muon, orthogonalised
from wiesel.training.optimiser import optimiser_for


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (64, 2, 3, 3), (5, 5), (16, 1, 3, 3)])
def test_the_singular_values_of_a_direction_come_out_near_one(shape):
    torch.manual_seed(0)
    gradient = torch.randn(shape)
    values = torch.linalg.svdvals(orthogonalised(gradient, 5).reshape(shape[0], -1))
    assert values.min() > 0.6
    assert values.max() < 1.25


def test_a_direction_keeps_its_singular_vectors():
    torch.manual_seed(0)
    left, _ = torch.linalg.qr(torch.randn(6, 6))
    right, _ = torch.linalg.qr(torch.randn(9, 9))
    gradient = left @ torch.diag(torch.linspace(1, 5, 6)) @ right[:6]
    rotated = left.T @ orthogonalised(gradient, 5) @ right.T
    assert (rotated[:, :6] - torch.diag(rotated.diagonal())).abs().max() < 1e-5
    assert rotated[:, 6:].abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (32, 1, 3, 3), (6, 6)])
def test_gathering_the_factors_gives_what_the_plain_iteration_gives(shape):
    torch.manual_seed(0)
    gradient = torch.randn(shape, dtype=torch.float64)
    x = gradient.reshape(shape[0], -1) / gradient.norm()
    a, b, c = QUINTIC
    for _ in range(3):
        x = a * x + b * (x @ x.T) @ x + c * (x @ x.T) @ (x @ x.T) @ x
    torch.testing.assert_close(orthogonalised(gradient, 3).reshape(x.shape), x, rtol=1e-5, atol=1e-6)


def test_a_step_turns_a_filter_bank_by_the_rate_and_keeps_its_length():
    torch.manual_seed(0)
    bank = nn.Parameter(torch.randn(8, 4, 3, 3))
    before = bank.detach().clone()
    bank.grad = torch.randn_like(bank)
    Muon([{"params": [bank], "orthogonal": True}], lr=0.2).step()
    assert bank.norm().item() == pytest.approx(before.norm().item(), rel=1e-5)
    # A right triangle with sides 1 and at most 0.2 has an angle of at most asin(0.2) at the far end.
    cosine = nn.functional.cosine_similarity(bank.detach().flatten(), before.flatten(), dim=0).item()
    assert 0.97 < cosine < 0.99


def test_a_gradient_of_zero_turns_nothing():
    bank = nn.Parameter(torch.randn(8, 4, 3, 3))
    before = bank.detach().clone()
    bank.grad = torch.zeros_like(bank)
    Muon([{"params": [bank], "orthogonal": True}], lr=0.2).step()
    torch.testing.assert_close(bank.detach(), before)


def test_the_rest_is_stepped_exactly_like_torch_s_adamw():
    torch.manual_seed(0)
    start, gradients = torch.randn(7, 3), torch.randn(5, 7, 3)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    muon = Muon([{"params": [ours], "momentum": 0.9, "weight_decay": 0.1}], lr=0.05)
    adamw = torch.optim.AdamW([theirs], lr=0.05, betas=(0.9, 0.99), weight_decay=0.1)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        muon.step()
        adamw.step()
    torch.testing.assert_close(ours, theirs)


def test_filters_go_to_muon_and_depthwise_filters_heads_and_shifts_do_not():
    network = zoo.build("mobilenet_v3_small", classes=10, channels=3, size=32)
    optimiser = optimiser_for(network, Training(optimiser="muon"))
    names = {id(p): name for name, p in network.named_parameters()}
    turned = {names[id(p)] for group in optimiser.param_groups if group["orthogonal"] for p in group["params"]}
    everything = [p for group in optimiser.param_groups for p in group["params"]]
    assert len(everything) == len(list(network.parameters())) == len({id(p) for p in everything})
    assert all(p.ndim == 4 and p.shape[1] > 1 for name, p in network.named_parameters() if name in turned)
    assert not any(p.ndim == 4 and p.shape[1] > 1 for name, p in network.named_parameters() if name not in turned)


def test_the_fixed_parts_of_our_network_are_not_stepped():
    network = zoo.build("wiesel_s", classes=10, channels=1, size=28)
    stepped = {id(p) for group in optimiser_for(network, Training(optimiser="muon")).param_groups for p in group["params"]}
    fixed = [name for name, p in network.named_parameters() if id(p) not in stepped]
    assert len(fixed) == 7
    assert all(name.endswith(("whitening.weight", "norm1.weight", "norm2.weight")) for name in fixed)


def test_rates_follow_the_schedule_in_their_proportion():
    groups = optimiser_for(zoo.build("wiesel_s"), Training(optimiser="muon", rate=0.2, rest_rate=0.01)).param_groups
    assert [round(group["relative"], 6) for group in groups] == [1.0, 0.05, 0.05]
