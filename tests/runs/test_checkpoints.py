"""Checkpoints: what is kept, what is refused, what is found."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from wiesel.errors import CannotSave, Damaged, NoIntactCheckpoint, NonFiniteTensors
from wiesel.runs import RunFolder, events
from wiesel.runs.checkpoints import flatten, newest, resume, save, save_weights, unflatten


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run")


def model(step: int) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((3, 5), step / 7), "mean": torch.arange(4.0), "count": torch.tensor(step)}


def saved(run: RunFolder, *steps: int, best: int | None = None) -> None:
    for step in steps:
        save(run, step, model=model(step), optimizer={"0.m": torch.ones(2)}, state={"epoch": step // 10}, best=best)


def names(run: RunFolder) -> list[str]:
    return sorted(path.name for path in run.checkpoints.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def break_(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_checkpoint_comes_back_exactly_and_is_in_the_history(run):
    state = {"epoch": 3, "best": 0.9299999999999999, "order": [1, 2], "nested": {"a": None}}
    folder = save(run, 123, model=model(1), optimizer={"0.momentum": torch.ones(2, 2)}, state=state)
    assert folder == run.checkpoints / "step-00000123"
    assert sorted(content(folder)) == ["MANIFEST.json", "model.safetensors", "optimizer.safetensors", "state.json"]
    found = newest(run)
    assert (found.folder, found.step, found.skipped) == (folder, 123, ())
    assert found.state() == state
    loaded = found.model()
    assert list(loaded) == sorted(loaded) or set(loaded) == set(model(1))
    assert all(torch.equal(loaded[name], tensor) and loaded[name].dtype == tensor.dtype for name, tensor in model(1).items())
    assert torch.equal(found.optimizer()["0.momentum"], torch.ones(2, 2))
    (row,) = run.history()
    manifest = hashlib.sha256((folder / "MANIFEST.json").read_bytes()).hexdigest()
    assert {k: row[k] for k in ("kind", "step", "folder", "sha256")} == {
        "kind": "commit",
        "step": 123,
        "folder": "step-00000123",
        "sha256": manifest,
    }


def test_a_real_training_goes_on_from_the_disc_with_the_same_bits(run):
    def fresh(seed: int):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 36, 4))
        return network, torch.optim.AdamW(network.parameters(), lr=1e-2)

    def train(network, optimizer, steps):
        for step in steps:
            pictures = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            network(pictures).square().mean().backward()
            optimizer.step()

    whole, optimizer = fresh(0)
    train(whole, optimizer, range(10))
    stopped, optimizer = fresh(0)
    train(stopped, optimizer, range(6))
    tensors, structure = flatten(optimizer.state_dict())
    save(run, 6, model=stopped.state_dict(), optimizer=tensors, state={"optimizer": structure})
    again, optimizer = fresh(99)
    found = newest(run)
    again.load_state_dict(found.model())
    optimizer.load_state_dict(unflatten(found.optimizer(), found.state()["optimizer"]))
    train(again, optimizer, range(found.step, 10))
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True))


def test_an_empty_optimiser_and_awkward_tensors_can_be_saved(run):
    tied = torch.arange(6.0)
    weird = {
        "tied": tied,
        "same": tied,
        "part": tied[2:4],
        "turned": torch.arange(6).reshape(2, 3).T,
        "nhwc": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "none": torch.zeros(0),
        "bf16": torch.ones(2, dtype=torch.bfloat16),
        "needs gradient": torch.ones(2, requires_grad=True),
        "f8": torch.ones(2).to(torch.float8_e4m3fn),
        "flag": torch.tensor(True),
    }
    save(run, 1, model=weird, optimizer={}, state={})
    loaded = newest(run).model()
    assert all(torch.equal(loaded[name].float(), tensor.float()) for name, tensor in weird.items())
    assert newest(run).optimizer() == {}


def test_the_last_two_and_the_best_stay(run):
    saved(run, 10, 20, best=10)
    saved(run, 30, 40, 50, best=10)
    assert names(run) == ["step-00000010", "step-00000040", "step-00000050"]
    save(run, 60, model=model(60), optimizer={}, state={"best_step": 60})
    assert names(run) == ["step-00000050", "step-00000060"]
    saved(run, 70, 80, 90)
    assert names(run) == ["step-00000080", "step-00000090"]
    save(run, 100_000_000, model=model(1), optimizer={}, state={})
    assert newest(run).step == 100_000_000
    assert [row["step"] for row in run.history()] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100_000_000]


def test_stale_temporary_folders_go_with_the_next_save(run):
    (run.checkpoints / ".tmp-99-dead").mkdir()
    (run.checkpoints / ".tmp-99-dead" / "model.safetensors").write_bytes(b"half")
    saved(run, 1)
    assert names(run) == ["step-00000001"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", ["model", "optimizer", "state"])
def test_nothing_that_is_not_finite_is_ever_committed(run, value, place):
    saved(run, 1)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    parts = {"model": model(2), "optimizer": {"m": torch.zeros(3)}, "state": {"loss": 1.0}}
    if place == "state":
        parts["state"]["deep"] = [{"loss": value}]
    else:
        parts[place]["bad"] = torch.tensor([[0.0, value]], dtype=torch.bfloat16)
    with pytest.raises(NonFiniteTensors, match=r"Step 2 was not saved: (model\.bad|optimizer\.bad|state\.json) contain NaN"):
        save(run, 2, **parts)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert newest(run).step == 1


def test_half_and_eight_bit_floats_are_examined_too(run):
    for dtype in (torch.float16, torch.float64, torch.float8_e4m3fn, torch.complex64):
        with pytest.raises(NonFiniteTensors):
            save(run, 2, model={"x": torch.tensor([1.0, float("nan")]).to(dtype)}, optimizer={}, state={})
    assert names(run) == []


def test_the_sentence_names_three_tensors_and_counts_the_rest(run):
    bad = {str(n): torch.tensor(float("nan")) for n in range(5)}
    with pytest.raises(NonFiniteTensors, match=r"model\.0, model\.1, model\.2 and 2 more"):
        save(run, 2, model=bad, optimizer={}, state={})


def test_no_checkpoint_is_none_and_writes_nothing(run):
    assert newest(run) is None
    assert newest(RunFolder(run.path / "nowhere")) is None
    assert names(run) == []


def test_a_damaged_newest_one_is_skipped_and_named(run):
    saved(run, 1, 2)
    break_(run.checkpoints / "step-00000002")
    found = newest(run)
    assert found.step == 1
    assert [(Path(e.folder).name, e.names) for e in found.skipped] == [("step-00000002", ("model.safetensors",))]
    assert names(run) == ["step-00000001", "step-00000002"]


def test_if_all_are_damaged_nothing_starts_over_and_nothing_is_touched(run):
    saved(run, 1, 2)
    for step in (1, 2):
        (run.checkpoints / f"step-0000000{step}" / "MANIFEST.json").unlink()
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    for ask in (newest, resume):
        with pytest.raises(NoIntactCheckpoint, match=r"holds 2 checkpoints, none of them intact \(step-00000002, step-00000001\)"):
            ask(run)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_manifest_without_the_network_is_damage(run):
    saved(run, 1, 2)
    manifest = run.checkpoints / "step-00000002" / "MANIFEST.json"
    manifest.write_text(json.dumps({name: e for name, e in json.loads(manifest.read_bytes()).items() if "model" not in name}))
    assert newest(run).step == 1


def test_saving_the_same_step_again_keeps_the_intact_folder_and_says_so(run):
    saved(run, 1, 2)
    before = content(run.checkpoints / "step-00000002")
    folder = save(run, 2, model=model(2), optimizer={"0.m": torch.ones(2)}, state={"epoch": 0, "seconds": 99})
    assert folder.name == "step-00000002"
    assert content(folder) == before
    assert run.history()[-1]["kept"] is True
    assert names(run) == ["step-00000001", "step-00000002"]


def test_saving_a_step_again_whose_folder_is_damaged_takes_a_new_name_and_overwrites_nothing(run):
    saved(run, 1, 2)
    break_(run.checkpoints / "step-00000002")
    evidence = content(run.checkpoints / "step-00000002")
    assert resume(run).step == 1
    saved(run, 2)
    assert names(run) == ["step-00000001", "step-00000002", "step-00000002-2"]
    assert content(run.checkpoints / "step-00000002") == evidence
    found = newest(run)
    assert (found.step, found.folder.name, found.skipped) == (2, "step-00000002-2", ())
    saved(run, 3)  # two intact ones now: 2-2 and 3
    assert names(run) == ["step-00000002-2", "step-00000003"]


def test_saving_a_step_again_with_other_weights_takes_a_new_name(run):
    saved(run, 1)
    for value in (0.5, 0.25):
        save(run, 1, model={"weight": torch.tensor(value)}, optimizer={}, state={})
    assert newest(run).model() == {"weight": torch.tensor(0.25)}
    assert newest(run).folder.name == "step-00000001-3"


def test_damaged_ones_do_not_count_among_the_two_that_stay(run):
    saved(run, 1, 2)
    break_(run.checkpoints / "step-00000002")
    saved(run, 3)
    assert names(run) == ["step-00000001", "step-00000002", "step-00000003"]
    break_(run.checkpoints / "step-00000003")
    assert newest(run).step == 1


def test_folders_of_a_past_that_was_given_up_stay_until_the_run_comes_by_again(run):
    saved(run, 1, 2)
    break_(run.checkpoints / "step-00000002")
    (run.checkpoints / "step-00000009").mkdir()  # a half copy by somebody else
    assert resume(run).step == 1
    save(run, 1, model=model(1), optimizer={"0.m": torch.ones(2)}, state={})
    assert names(run) == ["step-00000001", "step-00000002", "step-00000009"]


def test_other_things_in_the_folder_are_no_checkpoints(run):
    saved(run, 1)
    for name in ("step-2", "step-0000000x", "step-00000003.old", "latest", "step-00000004\n", "step-٠٠٠٠٠٠٠٥"):
        (run.checkpoints / name).mkdir()
    assert newest(run).step == 1
    assert newest(run).skipped == ()


def test_resuming_is_written_down_and_a_commit_too_late_for_its_row_gets_it(run):
    run.record("train", 1, loss=0.5)
    saved(run, 1)
    run.record("train", 2, loss=0.25)
    kept = run.events.read_bytes()
    saved(run, 2)
    run.events.write_bytes(kept)  # the crash came between the rename and the row
    assert resume(run).step == 2
    assert [(row["kind"], row["step"]) for row in run.history()] == [
        ("train", 1),
        ("commit", 1),
        ("train", 2),
        ("commit", 2),
        ("resume", 2),
    ]
    break_(run.checkpoints / "step-00000002")
    assert resume(run).step == 1
    assert run.history()[-1]["damaged"] == ["step-00000002"]
    assert [(row["kind"], row["step"]) for row in events.effective(run.history())] == [("train", 1), ("commit", 1)]


def test_resuming_without_a_checkpoint_begins_at_step_0(run):
    run.record("train", 1, loss=0.5)
    assert resume(run) is None
    assert events.effective(run.history()) == []


def test_what_changed_since_it_was_found_is_not_loaded(run):
    saved(run, 1)
    found = newest(run)
    break_(found.folder)
    with pytest.raises(Damaged, match=r"'model\.safetensors' \(altered\)"):
        found.model()
    assert found.state() == {"epoch": 0}


def test_all_of_200_flipped_bits_are_found(run):
    saved(run, 1)
    folder = run.checkpoints / "step-00000001"
    whole = content(folder)
    chance = random.Random(20261122)
    for _ in range(200):
        name = chance.choice(sorted(whole))
        data = bytearray(whole[name])
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(data)
        with pytest.raises(NoIntactCheckpoint) as caught:
            newest(run)
        if name != "MANIFEST.json":  # a bit in the manifest may also accuse the file that it speaks of
            assert caught.value.damaged[0].names == (name,)
        (folder / name).write_bytes(whole[name])
    assert newest(run).step == 1


def test_every_cut_and_every_missing_file_is_found_and_named(run):
    saved(run, 1)
    folder = run.checkpoints / "step-00000001"
    whole = content(folder)
    for name, data in whole.items():
        for shorter in (b"", data[:-1], data[: len(data) // 2], data + b"\0", None):
            if name == "MANIFEST.json" and shorter == data[:-1]:  # the newline at the end: nothing is lost
                continue
            (folder / name).unlink()
            if shorter is not None:
                (folder / name).write_bytes(shorter)
            with pytest.raises(NoIntactCheckpoint) as caught:
                newest(run)
            assert caught.value.damaged[0].names == (name,)
            (folder / name).write_bytes(data)


def test_weights_are_replaced_whole_and_lose_the_seal_of_the_old_ones(run):
    save_weights(run, 1, model(1))
    run.write_classes(["a"])
    run.write_preprocessing({})
    run.write_splits({})
    run.recipe.write_text("")
    run.seal()
    with pytest.raises(NonFiniteTensors):
        save_weights(run, 2, {"w": torch.tensor(float("nan"))})
    run.check()
    save_weights(run, 2, model(2))
    assert not run.manifest.exists()


def test_a_refusal_names_the_command_that_goes_on(run):
    saved(run, 1)
    shutil.rmtree(run.checkpoints)
    run.checkpoints.write_bytes(b"")
    with pytest.raises(CannotSave) as caught:
        saved(run, 2)
    assert f"`wiesel train --resume {run.path}`" in str(caught.value)
