"""Four things called kernel, on the same points of the plane.

    convolution     a small table of weights that is moved over a picture; here the picture of how many points lie in each cell
    density         a bump of area 1 that is put on every point; their mean is an estimate of the density (Parzen 1962)
    similarity      k(x, z), an inner product in a space nobody needs to visit; here the one of a support vector machine
    null space      all vectors that a linear map sends to 0

The first three are drawn with one and the same Gaussian, so that it can be seen how they hang together: the density is the picture of
counts convolved with the bump, and the decision of the machine is a sum of the same bumps with signs. The fourth shares the name only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue, TeachingLibraryMissing
from wiesel.teaching import figures
from wiesel.teaching.words import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.teaching.sheet import Sheet

SIDE = 2.5
"""The plane is shown from -SIDE to SIDE in both directions."""
CELLS = 100
REACH = 4
"""Standard deviations at which the convolution kernel ends."""
Points = NDArray[np.float64]


@dataclass(frozen=True)
class FourKernels:
    """What the figure draws, as numbers. Tables are (CELLS, CELLS), rows from low to high y."""

    points: Points
    labels: NDArray[np.int64]
    width: float
    """Standard deviation of the Gaussian."""
    counts: NDArray[np.float64]
    convolved: NDArray[np.float64]
    """The counts, convolved with the sampled Gaussian and divided by the number of points: per unit of area."""
    density: NDArray[np.float64]
    """The kernel density estimate in the middle of each cell."""
    decision: NDArray[np.float64]
    """Of the support vector machine: positive for class 1."""
    support: int
    accuracy: float
    """On the points it was fitted to."""
    map: NDArray[np.float64]
    """(1, 2): the linear map of the fourth part, the best linear separation of the classes by least squares."""
    null: NDArray[np.float64]
    """(2,): a unit vector that the map sends to 0."""

    @property
    def difference(self) -> float:
        """Largest difference between density and convolved counts, as a share of the largest density: the points sit in the middles
        of cells there."""
        return float(np.abs(self.density - self.convolved).max() / self.density.max())


def two_moons(count: int = 80, *, noise: float = 0.16, seed: int = 0) -> tuple[Points, NDArray[np.int64]]:
    """`count` points on two half circles that reach into each other, and the number of their half circle."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    angle = np.pi * generator.random(count)
    x = np.where(labels == 0, np.cos(angle) - 0.5, 0.5 - np.cos(angle))
    y = np.where(labels == 0, np.sin(angle) - 0.25, 0.25 - np.sin(angle))
    return 1.25 * (np.stack([x, y], axis=1) + noise * generator.standard_normal((count, 2))), labels.astype(np.int64)


def measure(
    points: Points | None = None, labels: NDArray[np.int64] | None = None, *, width: float = 0.3, seed: int = 0
) -> FourKernels:
    """The four kernels of points (n, 2) of two classes (0 and 1); without points, of `two_moons`.

    Raises:
        TeachingLibraryMissing: scikit-learn is not installed.
    """
    try:
        from sklearn.svm import SVC
    except ImportError as error:
        raise TeachingLibraryMissing(library="scikit-learn") from error
    from scipy.signal import fftconvolve

    if points is None or labels is None:
        points, labels = two_moons(seed=seed)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) != len(labels) or set(np.unique(labels)) != {0, 1}:
        raise BadValue(setting="points", value=points.shape, expected="(n, 2), labels 0 and 1")
    if not 0.05 <= width <= 1:
        raise BadValue(setting="width", value=width, expected="0.05 … 1")
    edges = np.linspace(-SIDE, SIDE, CELLS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    cell = edges[1] - edges[0]
    counts = np.histogram2d(points[:, 1], points[:, 0], bins=(edges, edges))[0]
    reach = int(np.ceil(REACH * width / cell))
    offsets = cell * np.arange(-reach, reach + 1)
    bump = _gaussian(np.hypot(offsets[:, None], offsets[None, :]), width) / (2 * np.pi * width**2)
    convolved = fftconvolve(counts, bump, mode="same") / len(points)

    places = np.stack([axis.ravel() for axis in np.meshgrid(middles, middles)], axis=1)  # (x, y), rows from low to high y
    distances = np.linalg.norm(places[:, None, :] - points[None, :, :], axis=2)
    density = (_gaussian(distances, width) / (2 * np.pi * width**2)).mean(axis=1)
    machine = SVC(kernel="rbf", C=10.0, gamma=1 / (2 * width**2)).fit(points, labels)

    design = np.column_stack([points, np.ones(len(points))])
    weights = np.linalg.lstsq(design, 2.0 * labels - 1.0, rcond=None)[0]
    linear = weights[None, :2] / np.linalg.norm(weights[:2])
    shape = (CELLS, CELLS)
    return FourKernels(
        points=points,
        labels=labels,
        width=width,
        counts=counts,
        convolved=convolved,
        density=density.reshape(shape),
        decision=machine.decision_function(places).reshape(shape),
        support=len(machine.support_),
        accuracy=float(machine.score(points, labels)),
        map=linear,
        null=np.linalg.svd(linear)[2][-1],
    )


def four_kernels(
    points: Points | None = None,
    labels: NDArray[np.int64] | None = None,
    *,
    width: float = 0.3,
    seed: int = 0,
    language: str | None = None,
) -> Sheet:
    """The four meanings side by side, with one marked point that is the same in all four. For the arguments see `measure`."""
    words = spoken(language)
    found = measure(points, labels, width=width, seed=seed)
    chosen = found.points[int(np.argmin(np.linalg.norm(found.points - np.array([0.6, 0.9]), axis=1)))]
    sheet = figures.sheet(13, 4.5)
    convolution, density, machine, space = sheet.subplots(1, 4)
    extent = (-SIDE, SIDE, -SIDE, SIDE)
    said = words.number(width, 2)

    convolution.imshow(found.convolved, origin="lower", extent=extent, cmap="Greys", vmin=0)
    where = np.argwhere(found.counts > 0)
    step = 2 * SIDE / CELLS
    convolution.plot(-SIDE + step * (where[:, 1] + 0.5), -SIDE + step * (where[:, 0] + 0.5), "s", **_seen(3.6))
    convolution.add_patch(_window(chosen, REACH * width))
    _titled(convolution, words(en="1 Convolution kernel", de="1 Faltungskern"), words(
        en=f"counts in {CELLS} × {CELLS} cells,\nconvolved with a Gaussian (σ = {said})",
        de=f"Anzahlen in {CELLS} × {CELLS} Zellen,\ngefaltet mit einer Gauss-Glocke (σ = {said})",
    ))  # fmt: skip

    density.contourf(found.density, levels=8, origin="lower", extent=extent, cmap="Greys")
    density.plot(*found.points.T, "o", **_seen(3.6))
    density.add_patch(_circle(chosen, width))
    _titled(density, words(en="2 Density kernel (KDE)", de="2 Dichtekern (KDE)"), words(
        en=f"mean of the same bumps on the points;\ndiffers from 1 by at most {words.percent(found.difference, 1)}",
        de=f"Mittel derselben Glocken auf den Punkten;\nweicht von 1 um höchstens {words.percent(found.difference, 1)} ab",
    ))  # fmt: skip

    span = float(np.abs(found.decision).max())
    machine.imshow(found.decision, origin="lower", extent=extent, cmap=figures.signed_colours(), vmin=-span, vmax=span)
    machine.contour(found.decision, levels=[0.0], origin="lower", extent=extent, colors="black", linewidths=1.2)
    _classes(machine, found)
    machine.add_patch(_circle(chosen, width))
    _titled(machine, words(en="3 Kernel of a similarity (SVM)", de="3 Kern einer Ähnlichkeit (SVM)"), words(
        en=f"sum of the same bumps with signs;\n{found.support} support vectors, {words.percent(found.accuracy)} right",
        de=f"Summe derselben Glocken mit Vorzeichen;\n{found.support} Stützvektoren, {words.percent(found.accuracy)} richtig",
    ))  # fmt: skip

    height = (found.map @ np.stack([axis.ravel() for axis in np.meshgrid(*2 * [np.linspace(-SIDE, SIDE, CELLS)])])).reshape(
        CELLS, CELLS
    )
    space.contour(height, levels=10, origin="lower", extent=extent, colors=figures.PALE, linewidths=1.0, linestyles="-")
    _classes(space, found)
    for base, style, ink in ((np.zeros(2), "-", "black"), (chosen, "--", figures.INKS[2])):
        ends = np.stack([base - 2 * SIDE * found.null, base + 2 * SIDE * found.null])
        space.plot(*ends.T, linestyle=style, color=ink, linewidth=1.4)
    _titled(space, words(en="4 Kernel of a map (null space)", de="4 Kern einer Abbildung (Nullraum)"), words(
        en=f"line: all v with Av = 0 (here ‖Av‖ = {words.short(_length(found), 1)});\ndashed: all that A sends where the star goes",
        de=f"Gerade: alle v mit Av = 0 (hier ‖Av‖ = {words.short(_length(found), 1)});\ngestrichelt: was A abbildet wie den Stern",
    ))  # fmt: skip

    for axes in (convolution, density, machine, space):
        axes.plot(*chosen, marker="*", markersize=11, color="white", markeredgecolor="black", markeredgewidth=1.0)
        axes.set_xlim(-SIDE, SIDE)
        axes.set_ylim(-SIDE, SIDE)
        axes.set_aspect("equal")
        figures.bare(axes)
    linear = float(((found.points @ found.map[0] > _threshold(found)) == (found.labels == 1)).mean())
    return figures.finished(
        sheet,
        words(en="Four things called kernel, on the same points", de="Vier Dinge namens Kern, auf denselben Punkten"),
        words(
            en=f"The density estimate and the counts convolved with the same Gaussian differ by at most {words.percent(found.difference, 1)} "
            f"of the highest density, because counting moves points to the middles of cells. The machine sums the bumps of {found.support} of "
            f"{len(found.points)} points with signs and gets {words.percent(found.accuracy)} of them right; the linear map of the fourth part, "
            f"whose kernel is a line, {words.percent(linear)}.",
            de=f"Die Dichteschätzung und die mit derselben Gauss-Glocke gefalteten Anzahlen weichen um höchstens "
            f"{words.percent(found.difference, 1)} der höchsten Dichte voneinander ab, weil das Zählen die Punkte in Zellmitten rückt. Die "
            f"SVM summiert die Glocken von {found.support} der {len(found.points)} Punkte mit Vorzeichen und trifft "
            f"{words.percent(found.accuracy)}; die lineare Abbildung im vierten Teil, deren Kern eine Gerade ist, {words.percent(linear)}.",
        ),
        note=words(
            en="Star: the same point in all four. Frame: as far as the convolution kernel reaches; circle: σ of the Gaussian.",
            de="Stern: viermal derselbe Punkt. Rahmen: so weit reicht der Faltungskern; Kreis: σ der Gauss-Glocke.",
        ),
    )


def _gaussian(distance: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """1 at distance 0: the kernel of the machine, and the bump but for its factor."""
    values: NDArray[np.float64] = np.exp(-(distance**2) / (2 * width**2))
    return values


def _length(found: FourKernels) -> float:
    return float(np.linalg.norm(found.map @ found.null))


def _threshold(found: FourKernels) -> float:
    """Half-way between the means of the two classes along the map."""
    heights = found.points @ found.map[0]
    return float(heights[found.labels == 0].mean() + heights[found.labels == 1].mean()) / 2


def _titled(axes: Axes, title: str, said: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(said, fontsize=8.5, color=figures.MUTED)


def _classes(axes: Axes, found: FourKernels) -> None:
    for label, mark, face in ((0, "o", "white"), (1, "^", "black")):
        chosen = found.points[found.labels == label]
        axes.plot(
            *chosen.T, mark, markersize=4, markerfacecolor=face, markeredgecolor="black", markeredgewidth=0.7, linestyle="none"
        )


def _seen(size: float) -> dict[str, Any]:
    """Points with a light rim, so that they are seen on every grey."""
    return {
        "markersize": size,
        "markerfacecolor": figures.INKS[1],
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
        "linestyle": "none",
    }


def _window(middle: Points, reach: float) -> object:
    from matplotlib.patches import Rectangle

    return Rectangle((middle[0] - reach, middle[1] - reach), 2 * reach, 2 * reach, fill=False, edgecolor="black", linewidth=1.2)


def _circle(middle: Points, radius: float) -> object:
    from matplotlib.patches import Circle

    return Circle((middle[0], middle[1]), radius, fill=False, edgecolor="black", linewidth=1.4)
