"""How strongly a kernel passes each wave: its frequency response, and what kind of filter that makes it.

    H(wy, wx) = sum over i, j of  k[i, j] exp(-i (wy (i - ay) + wx (j - ax)))          w in radians per pixel, (ay, ax) the anchor

w = 0 is an even grey, and there H is the sum of the weights; w = pi is black and white pixel by pixel (Nyquist), the finest wave
that pixels can carry. Counting positions from the anchor is what makes the phase that of the filter: counted from the corner, as a
plain FFT of the kernel does, every filter seems to shift the picture, and a ramp of phase is shown that the filter does not have.

This is the response of convolution proper. Sliding the kernel without flipping it, as networks and image libraries do, has the same
magnitude and the opposite phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.teaching.kernels import Kernel, anchor, kernel
from wiesel.teaching.words import Words

SAMPLES = 257
"""Frequencies from -pi to pi, both included; zero is in the middle, pi/2 three quarters along."""

STOPPED = 0.1
"""Below this share of its peak, a filter counts as stopping a wave: 20 dB."""
HALVED = 0.5
NOTHING = 1e-9
"""Below this share of the peak a response is rounding error and has no phase."""

Kind = Literal["low-pass", "high-pass", "band-pass", "all-pass", "low-emphasis", "high-emphasis", "band-emphasis", "silent"]


@dataclass(frozen=True)
class Response:
    """`values` (N, N) complex, along wy and wx; `frequencies` (N,) from -pi to pi."""

    values: NDArray[np.complex128]
    frequencies: NDArray[np.float64]

    @property
    def magnitude(self) -> NDArray[np.float64]:
        """(N, N)."""
        return np.abs(self.values)

    @property
    def phase(self) -> NDArray[np.float64]:
        """(N, N), above -pi and up to pi; NaN where the filter passes nothing, for there is no phase of nothing."""
        magnitude = self.magnitude
        angles: NDArray[np.float64] = np.angle(self.values)
        angles[angles <= -np.pi + 1e-9] = np.pi
        angles[magnitude <= NOTHING * (magnitude.max() or 1.0)] = np.nan
        return angles

    def at(self, wy: float, wx: float) -> complex:
        """The sample nearest to this frequency; exact at multiples of pi / 128."""
        row, column = (int(np.abs(self.frequencies - w).argmin()) for w in (wy, wx))
        return complex(self.values[row, column])

    @property
    def zero(self) -> float:
        """What an even grey is multiplied by: the sum of the weights."""
        return self.at(0.0, 0.0).real

    @property
    def nyquist(self) -> tuple[float, float, float]:
        """Magnitudes at the finest waves: along x, along y, along both."""
        return abs(self.at(0.0, np.pi)), abs(self.at(np.pi, 0.0)), abs(self.at(np.pi, np.pi))

    @property
    def peak(self) -> tuple[float, float, float]:
        """Largest magnitude and its (wy, wx) >= 0; of several equal ones that of the slowest wave."""
        magnitude = self.magnitude
        highest = float(magnitude.max())
        rows, columns = np.nonzero(magnitude >= highest * (1 - 1e-9))
        wy, wx = np.abs(self.frequencies[rows]), np.abs(self.frequencies[columns])
        slowest = int(np.lexsort((wy, np.round(np.hypot(wy, wx), 9)))[0])
        return highest, float(wy[slowest]), float(wx[slowest])


def frequency_response(weights: Any, samples: int = SAMPLES) -> Response:
    """Of a kernel (h, w) or a classic filter's name.

    >>> sobel = frequency_response("sobel_x")
    >>> round(abs(sobel.at(0, np.pi / 2)), 9), round(sobel.zero, 9)
    (8.0, 0.0)
    """
    weights = kernel(weights)
    frequencies = np.linspace(-np.pi, np.pi, samples)
    row, column = anchor(weights)
    down = np.exp(-1j * np.outer(frequencies, np.arange(weights.shape[0]) - row))
    across = np.exp(-1j * np.outer(frequencies, np.arange(weights.shape[1]) - column))
    values = down @ weights @ across.T
    rounding = 1e-13 * float(np.abs(weights).sum())
    values.real[np.abs(values.real) < rounding] = 0.0
    values.imag[np.abs(values.imag) < rounding] = 0.0  # + 0.0, so that the angle of a negative number is pi and not -pi
    return Response(values, frequencies)


def kind(weights: Kernel) -> Kind:
    """Said from the numbers:

    all-pass        every wave alike
    low-pass        strongest at zero, the finest waves at most half as strong
    high-pass       zero stopped, strongest at the finest waves of at least one axis
    band-pass       zero stopped, strongest in between
    ...-emphasis    neither: everything passes to some degree, but low, high or middle waves most
    """
    response = frequency_response(weights)
    magnitude = response.magnitude
    highest, wy, wx = response.peak
    if highest == 0:
        return "silent"
    if magnitude.min() > highest * (1 - 1e-9):
        return "all-pass"
    at_zero, finest = abs(response.zero), max(response.nyquist)
    if at_zero >= 0.99 * highest:
        return "low-pass" if finest <= HALVED * highest else "low-emphasis"
    at_edge = max(wy, wx) > 0.9 * np.pi
    if at_zero <= STOPPED * highest:
        return "high-pass" if at_edge else "band-pass"
    return "high-emphasis" if at_edge else "band-emphasis"


def kind_name(kind: Kind, words: Words, *, article: bool = True) -> str:
    """For sentences ("a low-pass") or labels ("low-pass")."""
    en, de, with_en, with_de = {
        "low-pass": ("low-pass", "Tiefpass", "a low-pass", "ein Tiefpass"),
        "high-pass": ("high-pass", "Hochpass", "a high-pass", "ein Hochpass"),
        "band-pass": ("band-pass", "Bandpass", "a band-pass", "ein Bandpass"),
        "all-pass": ("all-pass", "Allpass", "an all-pass", "ein Allpass"),
        "low-emphasis": (
            "low waves raised",
            "tiefe Wellen betont",
            "a filter that raises low waves",
            "ein Filter, der tiefe Wellen betont",
        ),
        "high-emphasis": (
            "high waves raised",
            "hohe Wellen betont",
            "a filter that raises high waves",
            "ein Filter, der hohe Wellen betont",
        ),
        "band-emphasis": (
            "middle waves raised",
            "mittlere Wellen betont",
            "a filter that raises middle waves",
            "ein Filter, der mittlere Wellen betont",
        ),
        "silent": ("zero", "null", "zero everywhere", "überall null"),
    }[kind]
    return words(en=with_en if article else en, de=with_de if article else de)
