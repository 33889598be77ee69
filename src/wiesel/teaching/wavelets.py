"""The branches of an Inception module beside a wavelet decomposition of the same picture.

Both look at a picture at several scales at once. A wavelet transform divides the frequencies among its levels: each octave belongs to
one level, nothing is lost, and the picture can be put together again. The branches of an Inception module (Szegedy et al. 2014,
arXiv:1409.4842, figure 2b) all keep the full resolution, overlap as they like, and what they look for is learned. How far the picture
"1x1 for high, 3x3 for middle, 5x5 for low frequencies" is right can be measured: which octave is the energy of each output in?
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue, TeachingLibraryMissing
from wiesel.teaching import figures
from wiesel.teaching.pictures import caption, picture
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from torch import Tensor, nn

    from wiesel.teaching.sheet import Sheet

SIZES = (3, 64, 96, 128, 16, 32, 32)
"""Of the module that is shown if none is given: channels in, 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pool."""
BRANCHES = {"branch1x1": "1×1", "branch3x3": "3×3", "branch5x5": "5×5", "branch_pool": "pool"}
LEVELS = 3
WAVELET = "haar"


def inception_and_wavelets(
    image: Any = None,
    *,
    network: nn.Module | None = None,
    layer: str = "",
    wavelet: str = WAVELET,
    size: int = 64,
    seed: int = 0,
    language: str | None = None,
) -> Sheet:
    """One map of each branch, each level of the decomposition, and in which octave the energy of each of them lies.

    Args:
        image: whatever `picture` takes.
        network, layer: a network that holds an Inception module, and the module's name (by default the first one); without, a fresh
            module of the sizes in `SIZES` that looks at the picture itself, its weights drawn from `seed`.
        wavelet: any name that PyWavelets knows for a discrete wavelet; "haar" divides octaves least sharply.
        size: side of the picture in pixels.

    Raises:
        TeachingLibraryMissing: PyWavelets is not installed.
    """
    words = spoken(language)
    shown = picture(image, colour=True, size=size)
    grey = shown @ np.array((0.299, 0.587, 0.114))
    branches = {name: maps.numpy()[0] for name, maps in inception_branches(shown, network=network, layer=layer, seed=seed).items()}
    outputs = {said: branches[name] for name, said in BRANCHES.items() if name in branches}
    parts, error = wavelet_levels(grey, wavelet)
    shares = {words(en="Picture", de="Bild"): octaves(grey[None])}
    shares |= {said: octaves(maps) for said, maps in outputs.items()}
    shares |= {_level(number, words): octaves(part[None]) for number, part in enumerate(parts)}

    sheet = figures.sheet(13, 5.4)
    halves: Any = sheet.subfigures(1, 2, width_ratios=(1.55, 1))
    left, right = halves
    grid = left.subplots(2, 5)
    figures.show_grey(grid[0, 0], shown)
    grid[0, 0].set_title(words(en="Picture", de="Bild"), fontsize=10)
    figures.show_grey(grid[1, 0], grey)
    grid[1, 0].set_title(words(en="in grey", de="in Grau"), fontsize=10)
    for axes, (said, maps) in zip(grid[0, 1:], outputs.items(), strict=False):
        channel = int(maps.reshape(len(maps), -1).std(axis=1).argmax())
        figures.show_grey(axes, maps[channel], high=float(maps.max()) or 1.0)
        axes.set_title(words(en=f"Branch {said}", de=f"Zweig {said}"), fontsize=10)
        axes.set_xlabel(words(en=f"channel {channel} of {len(maps)}", de=f"Kanal {channel} von {len(maps)}"), fontsize=8)
    for number, (axes, part) in enumerate(zip(grid[1, 1:], parts, strict=False)):
        figures.show_signed(axes, part - part.mean())
        axes.set_title(_level(number, words), fontsize=10)
        axes.set_xlabel(
            words(
                en=f"{words.percent(_energy(part, parts))} of the energy", de=f"{words.percent(_energy(part, parts))} der Energie"
            ),
            fontsize=8,
        )
    _bars(right, shares, words)
    en, de = caption(image)
    finest = {said: float(share[0]) for said, share in shares.items()}
    names = list(outputs)
    return figures.finished(
        sheet,
        words(
            en=f"An Inception module and a wavelet transform look at {en}", de=f"Inception-Modul und Wavelet-Transformation an {de}"
        ),
        words(
            en=f"Of the energy of wavelet level 1, {words.percent(finest[_level(0, words)])} lie in the finest octave; of level 3 only "
            f"{words.percent(finest[_level(2, words)])}. The branches overlap: "
            + ", ".join(f"{name} {words.percent(finest[name])}" for name in names)
            + f" in the finest octave, the picture itself {words.percent(finest[words(en='Picture', de='Bild')])}. "
            f"The wavelet levels add up to the picture again (largest error {words.short(error, 1)}).",
            de=f"Von der Energie der Wavelet-Stufe 1 liegen {words.percent(finest[_level(0, words)])} in der feinsten Oktave, von Stufe 3 "
            f"nur {words.percent(finest[_level(2, words)])}. Die Zweige überlappen: "
            + ", ".join(f"{name} {words.percent(finest[name])}" for name in names)
            + f" in der feinsten Oktave, das Bild selbst {words.percent(finest[words(en='Picture', de='Bild')])}. "
            f"Die Wavelet-Stufen ergeben zusammen wieder das Bild (grösster Fehler {words.short(error, 1)}).",
        ),
        note=words(
            en="Maps: the most varied channel, black is 0, white the branch's largest. Levels: zero in the middle, each its own span. Shares: "
            "all channels, without the mean.",
            de="Karten: der lebhafteste Kanal, Schwarz ist 0, Weiss das Grösste des Zweigs. Stufen: null in der Mitte, jede mit eigener "
            "Spanne. Anteile: alle Kanäle, ohne den Mittelwert.",
        ),
    )


def inception_branches(
    image: Any = None, *, network: nn.Module | None = None, layer: str = "", size: int | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """What each branch of an Inception module puts out, and "output", their stack; see `inception_and_wavelets` for the arguments.

    >>> {name: tuple(maps.shape) for name, maps in inception_branches(size=28).items()}["output"]
    (1, 256, 28, 28)
    """
    import torch

    from wiesel.analysis.recording import recording
    from wiesel.zoo.googlenet import InceptionModule

    seen = picture(image, colour=True, size=size)
    if network is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = InceptionModule(*SIZES)
        prefix = ""
    else:
        found = [name for name, one in network.named_modules() if all(hasattr(one, branch) for branch in BRANCHES)]
        if not layer and not found:
            raise BadValue(setting="network", value=type(network).__name__, expected=f"a module with {', '.join(BRANCHES)}")
        prefix = layer or found[0]
    first = next(one for one in network.modules() if isinstance(one, torch.nn.Conv2d))
    values = seen if first.in_channels == 3 else (seen @ np.array((0.299, 0.587, 0.114)))[:, :, None]
    given = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None].float()
    module = network.get_submodule(prefix)
    names = {branch: f"{prefix}.{branch}".lstrip(".") for branch in BRANCHES if hasattr(module, branch)}
    with recording(network, *names.values()) as recorded, torch.no_grad():
        network((given - given.mean()) / given.std())
    branches = {branch: recorded[name] for branch, name in names.items()}
    return branches | {"output": torch.cat(list(branches.values()), dim=1)}


def wavelet_levels(grey: NDArray[np.float64], wavelet: str = WAVELET) -> tuple[list[NDArray[np.float64]], float]:
    """(H, W) as a sum of pictures of the same size: the details of level 1 (finest), 2, 3, and what is left; and the largest absolute
    difference between their sum and `grey`."""
    try:
        import pywt
    except ImportError as error:
        raise TeachingLibraryMissing(library="PyWavelets") from error
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise BadValue(setting="wavelet", value=wavelet, expected=", ".join(pywt.wavelist(kind="discrete")[:8]) + ", …")
    if pywt.dwt_max_level(min(grey.shape), pywt.Wavelet(wavelet).dec_len) < LEVELS:
        raise BadValue(
            setting="size",
            value=min(grey.shape),
            expected=f"{LEVELS} × {wavelet}: > {(pywt.Wavelet(wavelet).dec_len - 1) * 2**LEVELS - 1}",
        )
    coefficients = pywt.wavedec2(grey, wavelet, mode="periodization", level=LEVELS)
    parts = []
    for level in range(LEVELS, -1, -1):  # the finest details come last in the list
        alone = [
            part if place == level else np.zeros_like(part) if place == 0 else tuple(np.zeros_like(one) for one in part)
            for place, part in enumerate(coefficients)
        ]
        parts.append(pywt.waverec2(alone, wavelet, mode="periodization")[: grey.shape[0], : grey.shape[1]])
    return parts, float(np.abs(sum(parts) - grey).max())


def octaves(maps: NDArray[Any]) -> NDArray[np.float64]:
    """Shares of the energy of maps (C, H, W), without the mean, in four bands of frequency, the finest first.

    The frequency of a wave is the larger of its two (down and across), as a two-dimensional wavelet level divides them, in parts of
    the highest there is: 1/2 to 1, 1/4 to 1/2, 1/8 to 1/4, below.
    """
    height, width = maps.shape[-2:]
    power = (np.abs(np.fft.fft2(maps)) ** 2).sum(axis=0)
    power[0, 0] = 0.0
    frequency = 2 * np.maximum(np.abs(np.fft.fftfreq(height))[:, None], np.abs(np.fft.fftfreq(width))[None, :])
    edges = (1.01, 0.5, 0.25, 0.125, -1.0)
    shares = [power[(frequency < high) & (frequency >= low)].sum() for high, low in pairwise(edges)]
    return np.array(shares) / (power.sum() or 1.0)


def _energy(part: NDArray[np.float64], parts: list[NDArray[np.float64]]) -> float:
    """Its share of the variance: the levels are orthogonal, so shares add up to 1."""
    energies = [float(((one - one.mean()) ** 2).sum()) for one in parts]
    return float(((part - part.mean()) ** 2).sum()) / (sum(energies) or 1.0)


def _level(number: int, words: Words) -> str:
    return words(en="Rest", de="Rest") if number == LEVELS else words(en=f"Level {number + 1}", de=f"Stufe {number + 1}")


def _bars(part: Any, shares: dict[str, NDArray[np.float64]], words: Words) -> None:
    """Stacked bars, one per output: shares of the octaves."""
    axes = part.subplots()
    labels = [
        words(en="finest octave (1/2 to 1 of the highest frequency)", de="feinste Oktave (1/2 bis 1 der höchsten Frequenz)"),
        words(en="1/4 to 1/2", de="1/4 bis 1/2"),
        words(en="1/8 to 1/4", de="1/8 bis 1/4"),
        words(en="below", de="darunter"),
    ]
    inks = ("#12395c", "#4a7fb0", "#a9c3da", "#e6e6e6")
    names = list(shares)
    places = np.arange(len(names))[::-1]
    start = np.zeros(len(names))
    for band, (label, ink) in enumerate(zip(labels, inks, strict=True)):
        widths = np.array([shares[name][band] for name in names])
        axes.barh(places, widths, left=start, color=ink, edgecolor="white", label=label, height=0.72)
        for place, width, begin in zip(places, widths, start, strict=True):
            if width >= 0.08:
                colour = "white" if band < 2 else "black"
                axes.text(begin + width / 2, place, words.percent(width), ha="center", va="center", fontsize=8, color=colour)
        start = start + widths
    axes.set_yticks(places, names, fontsize=9)
    axes.set_xticks([])
    axes.set_xlim(0, 1)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(words(en="Where the energy lies", de="Wo die Energie liegt"), fontsize=11)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), fontsize=8, frameon=False, ncols=1)
