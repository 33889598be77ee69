"""The frames of a convolution's animation, drawn with Pillow, and written as a GIF or, through ffmpeg, as a video."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from wiesel.errors import NoVideo
from wiesel.language import say
from wiesel.teaching import cells, sliding
from wiesel.teaching.sliding import Sliding, Step
from wiesel.teaching.words import Words

CELL = 44
GAP = 40
EDGE = 20
HEAD = 40
LINE = 20
ACCENT = (18, 96, 159)
TEXT = (27, 32, 38)
MUTED = (87, 97, 108)
PALE = (201, 208, 215)
PANEL = (236, 239, 242)


def frames(made: Sliding, words: Words) -> Iterator[Image.Image]:
    """One picture for each position; all of one size, both sides even, as video wants them."""
    boards = (made.whole.shape, made.kernel.shape, made.size)
    width = max(640, 2 * EDGE + 2 * GAP + CELL * sum(board[1] for board in boards))
    tall = CELL * max(board[0] for board in boards)
    sums = [textwrap.wrap(sliding.sum_in_words(made, made.step(i), words), max(40, width // 9)) for i in range(made.steps)]
    height = EDGE + HEAD + tall + 24 + LINE * (1 + max(map(len, sums))) + EDGE
    width, height = width + width % 2, height + height % 2
    for number in range(made.steps):
        frame = Image.new("RGB", (width, height), "white")
        _draw(ImageDraw.Draw(frame), made, made.step(number), sums[number], tall, words)
        yield frame


def write_gif(made: Sliding, path: Path, seconds: float, words: Words, said: str) -> None:
    """Endless; the last frame stays three times as long."""
    pictures = [frame.quantize(64, method=Image.Quantize.MEDIANCUT) for frame in frames(made, words)]
    durations = [round(1000 * seconds)] * (len(pictures) - 1) + [round(3000 * seconds)]
    comment = said.encode("utf-8")[:255]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, comment=comment)


def write_mp4(made: Sliding, path: Path, seconds: float, words: Words, said: str) -> None:
    """H.264, plays everywhere.

    Raises:
        NoVideo: there is no ffmpeg, or it failed.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise NoVideo(path=path, why=say(en="there is no ffmpeg on this machine", de="auf diesem Rechner gibt es kein ffmpeg"))
    pictures = list(frames(made, words))
    width, height = pictures[0].size
    command = [program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{1 / seconds:g}", "-i", "-", "-r", "25", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    command += ["-metadata", f"comment={said}", str(path)]
    ran = subprocess.run(command, input=b"".join(frame.tobytes() for frame in pictures), capture_output=True, check=False)
    if ran.returncode:
        last = ran.stderr.decode(errors="replace").strip().splitlines() or ["?"]
        raise NoVideo(path=path, why=f"ffmpeg: {last[-1]}")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The one that Matplotlib brings, because it has every sign that we write."""
    import matplotlib as mpl

    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _draw(pen: ImageDraw.ImageDraw, made: Sliding, step: Step, sums: list[str], tall: int, words: Words) -> None:
    left = EDGE
    titles = (words(en="Picture", de="Bild"), words(en="Kernel", de="Kern"), words(en="Output", de="Ausgabe"))
    colours = (cells.grey(made.whole), cells.signed(made.kernel), cells.signed(made.output))
    values = (made.whole, made.kernel, made.output)
    for i, (title, table, colour) in enumerate(zip(titles, values, colours, strict=True)):
        top = EDGE + HEAD + (tall - CELL * table.shape[0]) // 2
        pen.text((left, top - 26), title, font=_font(15), fill=TEXT)
        shown = step.number + 1 if i == 2 else table.size
        _board(pen, left, top, table, colour, shown, made, words, padded=i == 0)
        if i == 0:
            for y, x in step.pixels.reshape(-1, 2).tolist():
                _frame(pen, left, top, y, x)
        if i == 2:
            _frame(pen, left, top, step.row, step.column)
        left += CELL * table.shape[1]
        if i < 2:
            pen.text((left + GAP / 2, EDGE + HEAD + tall / 2), "×="[i], font=_font(24), fill=MUTED, anchor="mm")
            left += GAP
    y = EDGE + HEAD + tall + 24
    pen.text((EDGE, y), f"{step.number + 1} / {made.steps}", font=_font(14), fill=MUTED)
    for line, content in enumerate(sums, start=1):
        pen.text((EDGE, y + line * LINE), content, font=_font(15), fill=TEXT)


def _board(
    pen: ImageDraw.ImageDraw,
    left: int,
    top: int,
    values: NDArray[np.float64],
    colours: NDArray[np.uint8],
    shown: int,
    made: Sliding,
    words: Words,
    *,
    padded: bool,
) -> None:
    (above, beside), (height, width) = made.place.padding, made.picture.shape
    for y, x in np.ndindex(values.shape):
        box = (left + x * CELL, top + y * CELL, left + (x + 1) * CELL - 2, top + (y + 1) * CELL - 2)
        margin = padded and not (above <= y < above + height and beside <= x < beside + width)
        if margin or y * values.shape[1] + x >= shown:
            pen.rectangle(box, outline=PALE, fill=PANEL if margin else None)
            if margin:
                pen.text((box[0] + CELL / 2 - 1, box[1] + CELL / 2 - 1), "0", font=_font(14), fill=MUTED, anchor="mm")
            continue
        pen.rectangle(box, fill=tuple(int(part) for part in colours[y, x]), outline=PALE)
        text = words.number(float(values[y, x]), made.digits)
        size = 15 if len(text) <= 4 else 12
        pen.text((box[0] + CELL / 2 - 1, box[1] + CELL / 2 - 1), text, font=_font(size), fill=cells.ink(colours[y, x]), anchor="mm")


def _frame(pen: ImageDraw.ImageDraw, left: int, top: int, y: int, x: int) -> None:
    box = (left + x * CELL - 1, top + y * CELL - 1, left + (x + 1) * CELL - 1, top + (y + 1) * CELL - 1)
    pen.rectangle(box, outline=ACCENT, width=3)
