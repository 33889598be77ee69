"""What a run was made with, and nothing that is nobody's business."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from wiesel.runs import RunFolder
from wiesel.runs.provenance import ENVIRONMENT, commit_of, provenance, without_passwords

SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "HF_TOKEN",
    "WANDB_API_KEY",
    "OPENAI_API_KEY",
    "DATABASE_URL",
    "SSH_AUTH_SOCK",
    "PGPASSWORD",
    "OMP_NUM_THREADS_KEY",
    "WIESEL_TOKEN",
)


def record(**settings):
    facts = {
        "seeds": {"run": 0, "split": 1},
        "threads": 2,
        "precision": "fp32",
        "fingerprint": "ab" * 32,
        "command": ["wiesel", "train"],
    }
    return provenance(**{**facts, **settings})


def test_it_says_versions_machine_seeds_data_and_command():
    found = record()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["versions"]["torch"].split(".")[0] == "2"
    assert found["versions"]["numpy"] is not None
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["cpu"]
    assert (found["threads"], found["precision"], found["data"]) == (2, "fp32", "ab" * 32)
    assert found["seeds"] == {"run": 0, "split": 1}
    assert found["started"].endswith("+00:00")
    assert json.loads(json.dumps(found)) == found


def test_of_ten_planted_keys_none_is_in_the_run_folder(tmp_path, monkeypatch):
    for number, name in enumerate(SECRETS):
        monkeypatch.setenv(name, f"planted-secret-{number}")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    run = RunFolder.create(tmp_path / "run")
    command = ["wiesel", "train", "--data", "https://me:planted-secret-x@host/data.zip"]
    run.write_provenance(record(command=command))
    with run.lock():
        written = b"".join(path.read_bytes() for path in run.path.rglob("*") if path.is_file())
    assert b"planted" not in written
    assert run.read_provenance()["environment"]["OMP_NUM_THREADS"] == "2"
    assert set(run.read_provenance()["environment"]) <= set(ENVIRONMENT)


def test_the_command_can_be_pasted_into_a_shell():
    command = ["wiesel", "train", "--data", "my pictures/it's", "--change", "training.rate=0.1"]
    assert shlex.split(record(command=command)["command"]) == command


def test_passwords_in_addresses_are_left_out_and_paths_are_not_touched():
    assert without_passwords("https://user:secret@host/a@b") == "https://…@host/a@b"
    assert without_passwords("https://host/a@b") == "https://host/a@b"
    assert without_passwords("me@home/data") == "me@home/data"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "src" / "wiesel").mkdir(parents=True)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    try:
        subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here")
    assert commit_of(tmp_path) is None  # no commit yet
    (tmp_path / "file").write_text("x")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "-c", "commit.gpgsign=false", "commit", "-qm", "first"], check=True, capture_output=True)
    return tmp_path, git


def test_the_commit_is_what_git_says(checkout):
    folder, git = checkout
    expected = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert commit_of(folder) == expected
    subprocess.run([*git, "pack-refs", "--all"], check=True)
    assert commit_of(folder) == expected
    subprocess.run([*git, "worktree", "add", "-q", str(folder / "tree"), "-b", "side"], check=True, capture_output=True)
    (folder / "tree" / "src" / "wiesel").mkdir(parents=True)
    assert commit_of(folder / "tree") == expected
    subprocess.run([*git, "checkout", "-q", "--detach"], check=True, capture_output=True)
    assert commit_of(folder) == expected


def test_a_strangers_repository_around_the_package_is_not_asked(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("a" * 40)
    assert commit_of(tmp_path) is None
    (tmp_path / "src" / "wiesel").mkdir(parents=True)
    assert commit_of(tmp_path) == "a" * 40
    (tmp_path / ".git" / "HEAD").write_text("password=hunter2")
    assert commit_of(tmp_path) is None


def test_it_imports_nothing_heavy():
    heavy = {"torch", "matplotlib", "scipy", "PIL"}
    code = f"import sys, wiesel.runs, wiesel.runs.provenance; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
