"""The page in a real browser without network and without scripts: it asks for nothing, complains about nothing, fits every width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.example_run import blobs, write_run
from wiesel import reports
from wiesel.images import DataSet
from wiesel.runs.folder import RunFolder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(run: RunFolder, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reports.write(run, data=data, output=tmp_path_factory.mktemp("pages") / "report.html")


@pytest.fixture(scope="module")
def wide_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty classes with long names: what is most likely to be wider than a telephone."""
    folder = tmp_path_factory.mktemp("pages")
    data = blobs([f"Donaudampfschifffahrtsgesellschaft{'_' * 60}{i}" for i in range(60)], side=8, train=60, test=120)
    return reports.write(write_run(folder / "run", data, architecture="resnet20"), data=data, output=folder / "wide.html")


def opened(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str]]:
    """The page, and everything that it asked for beyond itself or complained about."""
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    seen: list[str] = []
    page.on("request", lambda request: None if request.url.startswith((path.as_uri(), "data:")) else seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.goto(path.as_uri())
    return page, seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_offline_and_without_scripts_all_sections_are_visible_and_nothing_is_asked_for(
    browser: Any, report: Path, scheme: str
) -> None:
    page, seen = opened(browser, report, java_script_enabled=False, color_scheme=scheme)
    page.check("#language-de")
    assert page.locator(".in-de > main > section").count() == 14
    assert all(page.locator(".in-de > main > section").nth(i).is_visible() for i in range(12))
    assert not page.locator(".in-en").is_visible()
    page.check("#language-en")
    assert page.locator(".in-en").is_visible()
    assert not page.locator(".in-de").is_visible()
    assert page.locator(".in-en .chart").first.is_visible()
    assert seen == []
    page.context.close()


@pytest.mark.parametrize(
    ("which", "width"), [("report", 360), ("report", 768), ("report", 1280), ("wide_report", 360), ("wide_report", 1280)]
)
def test_no_page_is_wider_than_the_window(browser: Any, width: int, which: str, request: pytest.FixtureRequest) -> None:
    page, seen = opened(browser, request.getfixturevalue(which), viewport={"width": width, "height": 800})
    for language in ("de", "en"):
        page.check(f"#language-{language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, language
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen == []
    page.context.close()


def test_pictures_are_drawn_and_every_pixel_is_a_square(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    loaded = """async () => {
        const all = [...document.querySelectorAll('symbol image')];
        const sizes = await Promise.all(all.map(async image => {
            const copy = new Image(); copy.src = image.getAttribute('href'); await copy.decode(); return copy.naturalWidth;
        }));
        return [sizes.every(width => width > 0), getComputedStyle(all[0]).imageRendering];
    }"""
    assert page.evaluate(loaded) == [True, "pixelated"]
    page.context.close()


def test_text_can_be_read_against_its_ground_in_both_schemes(browser: Any, report: Path) -> None:
    """WCAG 2.1 contrast of at least 4.5 : 1 for every shade of the matrix and for body, muted and flagged text."""
    contrast = """() => {
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data]; };
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = rgb(getComputedStyle(document.body).backgroundColor);
        const found = {};
        for (const name of ['r1','r2','r3','r4','r5','r6','w1','w2','w3','w4','w5','w6','note','flag','finding','said','accuracy']) {
            const probe = document.createElement('span'); probe.className = name; document.querySelector('main').append(probe);
            const style = getComputedStyle(probe);
            const [a, b] = [light(rgb(style.color)), light(style.backgroundColor === 'rgba(0, 0, 0, 0)' ? ground : rgb(style.backgroundColor))];
            found[name] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            probe.remove();
        }
        return found;
    }"""
    for scheme in ("light", "dark"):
        page, _ = opened(browser, report, color_scheme=scheme)
        found = page.evaluate(contrast)
        assert {name: round(ratio, 2) for name, ratio in found.items() if ratio < 4.5} == {}, scheme
        page.context.close()


def test_on_paper_it_is_black_on_white_with_everything_open(browser: Any, report: Path, tmp_path: Path) -> None:
    page, _ = opened(browser, report, color_scheme="dark", java_script_enabled=True)
    page.check("#language-de")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#de-network .ledger tfoot").is_visible()
    assert page.locator("#de-origin pre").last.is_visible()
    assert not page.locator(".languages").is_visible()
    assert not page.locator(".in-en").is_visible()
    pdf = page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert pdf.count(b"/Type /Page") > 3
    page.context.close()


def test_a_link_of_the_contents_brings_its_section_into_view(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, java_script_enabled=False, reduced_motion="reduce")
    page.check("#language-en")
    page.click(".in-en .contents a[href='#en-calibration']")
    box = page.locator("#en-calibration").bounding_box()
    assert box is not None
    assert -5 <= box["y"] < 200
    page.context.close()
