"""The run folder: making, finding, documents, state, seal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from wiesel.errors import CannotSave, Damaged, FolderTaken, NotARun, NotTrained, UnknownSetting
from wiesel.recipe import DataChoice, Recipe
from wiesel.runs import RunFolder
from wiesel.runs.folder import SEALED


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


def filled(path: Path) -> RunFolder:
    run = RunFolder.create(path)
    run.write_recipe(Recipe())
    run.write_classes(["cat", "dog"])
    run.write_preprocessing({"channels": 1})
    run.write_splits({"seed": 0})
    run.weights.write_bytes(b"weights")
    return run


def in_parallel(count: int, work) -> list[bytes]:
    """Fork `count` children that start together; each returns what `work(number)` returns."""
    start_read, start_write = os.pipe()
    children = []
    for number in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(start_write)
                os.read(start_read, 1)  # until the parent closes its end
                os.write(write, work(number))
            finally:
                os._exit(0)
        os.close(write)
        children.append((child, read))
    os.close(start_read)
    os.close(start_write)
    answers = []
    for child, read in children:
        with os.fdopen(read, "rb") as pipe:
            answers.append(pipe.read())
        os.waitpid(child, 0)
    return answers


def test_unnamed_runs_are_numbered_after_data_and_model(tmp_path):
    names = [RunFolder.create(base=tmp_path / "runs", name="digits-lenet5").path.name for _ in range(3)]
    assert names == ["digits-lenet5-1", "digits-lenet5-2", "digits-lenet5-3"]
    assert RunFolder.create(base=tmp_path / "runs", name="digits-lenet5-2").path.name == "digits-lenet5-2-1"
    (tmp_path / "runs" / "digits-lenet5-41").mkdir()
    assert RunFolder.create(base=tmp_path / "runs", name="digits-lenet5").path.name == "digits-lenet5-42"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_fifty_runs_started_at_once_get_fifty_folders(tmp_path):
    made = in_parallel(50, lambda number: RunFolder.create(base=tmp_path / "runs", name="a-b").path.name.encode())
    assert sorted(made) == sorted(f"a-b-{n}".encode() for n in range(1, 51))
    assert all((tmp_path / "runs" / name.decode() / "checkpoints").is_dir() for name in made)


@pytest.mark.parametrize("name", ["../../etc", "a/b\nc", "…", "", ".hidden", "x" * 500, "Größe 3 – süß", "-rf"])
def test_any_name_of_a_data_set_makes_a_folder_inside_the_base(tmp_path, name):
    run = RunFolder.create(base=tmp_path / "runs", name=name)
    assert run.path.parent == tmp_path / "runs"
    assert run.path.is_dir()
    assert not run.path.name.startswith((".", "-"))


def test_a_given_path_may_be_new_or_an_empty_folder(tmp_path):
    assert RunFolder.create(tmp_path / "deep" / "new").path.is_dir()
    (tmp_path / "empty").mkdir()
    run = RunFolder.create(str(tmp_path / "empty"))
    assert [p.name for p in run.path.iterdir()] == ["checkpoints"]
    assert run.state == "new"


def test_a_path_that_holds_something_is_refused_and_left_alone(tmp_path):
    filled(tmp_path / "run")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "file").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FolderTaken, match=r"already exists and holds a run\. Nothing was changed.*`wiesel train --resume .*run`"):
        RunFolder.create(tmp_path / "run")
    with pytest.raises(FolderTaken, match="and is not empty"):
        RunFolder.create(tmp_path / "photos")
    with pytest.raises(FolderTaken, match="and is not a folder"):
        RunFolder.create(tmp_path / "file")
    assert sorted(tmp_path.rglob("*")) == before


def test_places_that_cannot_be_written_are_refused_at_once_with_the_reason(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, reason in [
        (Path("/proc/wiesel/run"), "No such file|not permitted|denied"),
        (tmp_path / ("n" * 256), "File name too long"),
        (tmp_path / ("d/" * 2100), "File name too long"),
        (tmp_path / "file" / "run", "Not a directory"),
        (tmp_path / "nul\0", "null"),
    ]:
        with pytest.raises(CannotSave, match=reason):
            RunFolder.create(path)
    with pytest.raises(CannotSave, match=r"File exists|Not a directory"):
        RunFolder.create(base=tmp_path / "file", name="a")


def test_a_read_only_disc_is_refused_at_once(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(CannotSave, match="Read-only file system"):
            RunFolder.create(tmp_path / "run")
        with pytest.raises(CannotSave, match="Read-only file system"):
            RunFolder.create(tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_without_permission_is_refused_at_once(tmp_path):
    if os.getuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(CannotSave, match="Permission denied"):
            RunFolder.create(tmp_path / "closed" / "run")
        return
    child = os.fork()
    if child == 0:  # root may write anywhere, nobody may not
        code = 1
        try:
            os.setuid(65534)
            RunFolder.create("/usr/wiesel-test-run")
        except CannotSave as error:
            code = 42 if "Permission denied" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


def test_opening_what_is_no_run_says_what_is_missing_and_names_the_nearest(tmp_path):
    filled(tmp_path / "runs" / "digits-lenet5-1")
    filled(tmp_path / "runs" / "fashion-resnet18-1")
    (tmp_path / "runs" / "other").mkdir()
    assert RunFolder.open(str(tmp_path / "runs" / "digits-lenet5-1")).read_classes() == ("cat", "dog")
    with pytest.raises(NotARun, match=r"it does not exist\. Nearest: digits-lenet5-1"):
        RunFolder.open(tmp_path / "runs" / "digits-lenet-1")
    with pytest.raises(NotARun, match=r"no recipe\.toml\. Runs in it: .*1, .*1\."):
        RunFolder.open(tmp_path / "runs")
    with pytest.raises(NotARun, match="it is not a folder"):
        RunFolder.open(tmp_path / "runs" / "digits-lenet5-1" / "recipe.toml")
    for odd in ("nul\0", "n" * 300, "x" * 5000, "lines\nand <b>"):
        with pytest.raises(NotARun):
            RunFolder.open(tmp_path / odd)


def test_documents_come_back_as_they_were_written(tmp_path):
    run = filled(tmp_path / "run")
    recipe = Recipe(architecture="resnet20", data=DataChoice(source="a folder/ü"), seed=2**62)
    run.write_recipe(recipe)
    assert run.read_recipe() == recipe
    run.write_classes(("Größe", "10", "2", 'a"b\n'))
    assert run.read_classes() == ("Größe", "10", "2", 'a"b\n')
    assert "Größe" in run.classes.read_text(encoding="utf-8")
    for document in ({"mean": [0.1, 1e-9], "n": 2**70}, {"odd name": "\udcff", "none": None}):
        run.write_preprocessing(document)
        run.write_splits(document)
        run.write_provenance(document)
        run.write_evaluation(document)
        assert [run.read_preprocessing(), run.read_splits(), run.read_provenance(), run.read_evaluation()] == [document] * 4
    assert [p.name for p in run.path.iterdir() if p.name.startswith(".")] == []


def test_numbers_that_json_cannot_say_are_our_mistake(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        filled(tmp_path / "run").write_evaluation({"accuracy": float("nan")})


@pytest.mark.parametrize("content", [b"{}", b"[]", b'["a", "a"]', b'["a", 3]', b'"ab"', b"[" * 100_000, b"\xff", b"", b"[NaN]"])
def test_class_names_that_are_no_list_of_names_are_damage(tmp_path, content):
    run = filled(tmp_path / "run")
    run.classes.write_bytes(content)
    with pytest.raises(Damaged, match=r"classes\.json"):
        run.read_classes()


def test_a_missing_document_is_named(tmp_path):
    with pytest.raises(Damaged, match=r"'evaluation\.json' \(missing\)"):
        filled(tmp_path / "run").read_evaluation()


def test_a_recipe_of_another_kind_says_what_is_wrong(tmp_path):
    run = filled(tmp_path / "run")
    run.recipe.write_text("archtecture = 'resnet18'")
    with pytest.raises(UnknownSetting, match="Nearest: architecture"):
        run.read_recipe()
    run.recipe.write_bytes(b"\xff\xfe")
    with pytest.raises(Damaged, match="not valid TOML"):
        run.read_recipe()
    run.recipe.write_text("a = " + "[" * 100_000)
    with pytest.raises(Damaged, match="not valid TOML"):
        run.read_recipe()


def test_state_follows_the_history(tmp_path):
    run = filled(tmp_path / "run")
    assert run.state == "new"
    for kind, step, state in [
        ("start", 0, "running/interrupted"),
        ("train", 1, "running/interrupted"),
        ("stop", 1, "running/interrupted"),
        ("resume", 1, "running/interrupted"),
        ("end", 2, "finished"),
        ("resume", 2, "running/interrupted"),
        ("end", 3, "finished"),
    ]:
        run.record(kind, step)
        assert run.state == state


def test_a_seal_is_checked_and_every_altered_or_missing_file_is_named(tmp_path):
    run = filled(tmp_path / "run")
    with pytest.raises(NotTrained, match=r"state: new\)\. `wiesel train --resume"):
        run.check()
    assert set(run.seal()) == set(SEALED)
    run.check()
    assert run.state == "finished"
    assert run.read_sealed()["weights.safetensors"] == b"weights"
    run.weights.write_bytes(b"weighty")
    run.classes.unlink()
    for read in (run.check, run.read_sealed):
        with pytest.raises(Damaged) as caught:
            read()
        assert set(caught.value.names) == {"weights.safetensors", "classes.json"}


def test_a_seal_needs_all_its_files(tmp_path):
    run = filled(tmp_path / "run")
    run.splits.unlink()
    with pytest.raises(Damaged, match=r"splits\.json"):
        run.seal()
    assert not run.manifest.exists()


def test_a_manifest_that_leaves_out_the_weights_is_no_seal(tmp_path):
    run = filled(tmp_path / "run")
    run.seal()
    run.manifest.write_bytes(b"{}")
    with pytest.raises(Damaged, match=r"'weights\.safetensors' \(not in the manifest\)"):
        run.check()


def test_its_picture_in_a_notebook_escapes_what_a_folder_may_be_called(tmp_path):
    run = filled(tmp_path / "<script>alert(1)<")
    run.record("epoch", 7, accuracy=0.5, note="<b>")
    page = run._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<td>0.5</td>" in page
    assert "running/interrupted" in page


def test_a_path_with_a_newline_works_and_is_quoted_in_sentences(tmp_path):
    run = filled(tmp_path / "new\nline 'x'")
    run.seal()
    run.check()
    with run.lock():
        pass
    with pytest.raises(FolderTaken) as caught:
        RunFolder.create(run.path)
    assert "\n" not in str(caught.value).split("--resume")[0]
