"""What every function of the room promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel import teaching
from wiesel.teaching import cells, figures
from wiesel.teaching.words import spoken


def test_importing_the_room_loads_nothing_heavy() -> None:
    program = "import sys, wiesel.teaching as t; dir(t); print([m for m in ('torch', 'matplotlib', 'numpy', 'scipy', 'PIL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_public_name_exists_and_is_not_called_like_its_file() -> None:
    assert teaching.__all__
    for name, where in teaching._WHERE.items():
        module, attribute = where.split(":")
        assert name == attribute
        assert name != module.rpartition(".")[2], "the module would take the place of the function after its first use"
        assert callable(getattr(teaching, name))
        assert getattr(teaching, name).__doc__
    with pytest.raises(AttributeError):
        _ = teaching.no_such_thing


def test_a_figure_needs_its_finding() -> None:
    with pytest.raises(ValueError, match="finding"):
        figures.finished(figures.sheet(2, 2), "Title", " ")


def test_a_figure_uses_no_global_state_and_carries_its_finding_into_files_and_notebooks(tmp_path: Path) -> None:
    sheet = figures.sheet(2, 2)
    figures.finished(sheet, "Title", 'It says "0.5" & more.')
    assert "matplotlib.pyplot" not in sys.modules or sheet not in sys.modules["matplotlib.pyplot"].get_fignums()
    with Image.open(sheet.save(tmp_path / "x.png")) as written:
        assert written.text["Description"] == sheet.alt_text == 'Title. It says "0.5" & more.'
    assert (
        "It says &quot;0.5&quot; &amp; more." in sheet.save(tmp_path / "x.svg").read_text()
        or "It says" in (tmp_path / "x.svg").read_text()
    )
    shown = sheet._repr_html_()
    assert 'alt="Title. It says &quot;0.5&quot; &amp; more."' in shown
    assert "http" not in shown


def lightness(colours: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours (N, 3) in 0..1."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_signed_colours_grow_lighter_all_the_way_so_that_grey_print_keeps_the_sign() -> None:
    colours = figures.signed_colours()(np.linspace(0, 1, 101))[:, :3]
    light = lightness(colours)
    assert (np.diff(light) > 0).all()
    assert light[-1] - light[0] > 70
    assert np.ptp(colours[50]) < 0.02  # zero is grey
    assert colours[25, 2] > colours[25, 0]  # below it blue
    assert colours[75, 0] > colours[75, 2]  # above it orange


def test_phases_that_matter_have_four_different_lightnesses() -> None:
    light = np.sort(lightness(figures.phase_colours()(np.array([0.0, 0.25, 0.5, 0.75]))[:, :3]))
    assert np.diff(light).min() > 15
    np.testing.assert_allclose(figures.phase_colours()(0.0), figures.phase_colours()(1.0), atol=1e-6)


def test_numbers_on_colours_can_be_read() -> None:
    for colour in cells.signed(np.linspace(-1, 1, 41)[None])[0]:
        ink = np.array(cells.ink(colour)) / 255
        share = np.where(colour / 255 <= 0.04045, colour / 255 / 12.92, ((colour / 255 + 0.055) / 1.055) ** 2.4)
        light = sorted([float(share @ (0.2126, 0.7152, 0.0722)), float(ink[0])])
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5
    np.testing.assert_array_equal(cells.signed(np.zeros((1, 1)))[0, 0], [0x8B, 0x8B, 0x8B])


def test_words_speak_two_languages() -> None:
    german, english = spoken("de"), spoken("en")
    assert (german.number(-0.5, 2), english.number(-0.5, 2)) == ("−0,50", "−0.50")
    assert german.number(-0.001, 2) == "0,00"
    assert (german.short(1.5e-7), english.short(0), english.short(8.0)) == ("1,5·10⁻⁷", "0", "8")
    assert (german.percent(0.251), english.grouped(1049600)) == ("25\u202f%", "1,049,600")


def test_a_long_note_stays_within_the_figure() -> None:
    sheet = figures.sheet(5, 2)
    figures.finished(sheet, "Title", "Finding.", note="word " * 60)
    sheet.canvas.draw()
    assert sheet._supxlabel.get_window_extent().width <= 5 * sheet.dpi
