"""What the guides tell a reader to type works, in order, in an empty folder.

Trainings are cut to an epoch over few pictures; everything else is typed as printed. The German guides print the same commands.
"""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel import cli, images

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = {
    "guides/start.md": "de/start.md",
    "guides/my-photos.md": "de/eigene-fotos.md",
    "guides/which-model.md": "de/welches-netz.md",
    "guides/is-it-better.md": "de/wirklich-besser.md",
    "guides/why-this-prediction.md": "de/warum.md",
    "guides/hand-it-over.md": "de/weitergeben.md",
}
SHORTER = ["--epochs", "1", "--batch-size", "32", "--quiet"]
FOUND_PROBLEMS = 3


def commands(page: str) -> list[list[str]]:
    """The words of every command line in the page's `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line.strip()]


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with some photographs in it, of two classes, and one picture of a digit."""
    random = np.random.default_rng(0)
    for kind, low in (("cat", 0), ("dog", 100)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(1, 41):
            Image.fromarray(random.integers(low, low + 150, (40, 40, 3), dtype=np.uint8)).save(
                tmp_path / "photos" / kind / f"{number:03}.jpg"
            )
    Image.fromarray(images.load("digits").train.pixels[0, :, :, 0]).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_in(words: list[str], *, run_compare: bool) -> None:
    if words[0] == "pip":
        return
    assert words[0] == "wiesel"
    if words[1] == "compare" and not run_compare:
        return
    extra = SHORTER if words[1] == "train" and not {"--epochs", "--quiet"} & set(words) else []
    assert cli.run([*words[1:], *extra]) in (0, FOUND_PROBLEMS if words[1:3] == ["data", "check"] else 0), " ".join(words)


@pytest.mark.parametrize("page", GUIDES)
def test_the_commands_of_a_guide_work(page: str, folder: Path) -> None:
    for words in commands(page):
        type_in(words, run_compare=False)


@pytest.mark.slow  # a comparison is at least six trainings, each a process of its own
@pytest.mark.parametrize("page", ["guides/which-model.md", "guides/is-it-better.md"])
def test_the_comparisons_of_a_guide_work(page: str, folder: Path) -> None:
    for words in commands(page):
        type_in(words, run_compare=True)


@pytest.mark.parametrize("page", [page for page in GUIDES if python_blocks(page)])
def test_the_python_of_a_guide_works(page: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in python_blocks(page):
        exec(compile(block, page, "exec"), {})
    assert "%" in capsys.readouterr().out


@pytest.mark.parametrize(("english", "german"), GUIDES.items())
def test_the_german_guide_prints_the_same_commands(english: str, german: str) -> None:
    assert commands(german) == commands(english)
    assert python_blocks(german) == python_blocks(english)


def test_every_link_between_pages_leads_somewhere() -> None:
    lost = []
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                lost.append(f"{page.relative_to(DOCS)} -> {target}")
    assert lost == []
