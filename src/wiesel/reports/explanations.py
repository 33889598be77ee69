"""Explanations of pictures -> one HTML file that needs nothing else, or one PNG.

Two classes stand side by side on one colour scale per method, so that a faint map looks faint. Signed maps are diverging with zero
in the middle; magnitudes are sequential. The range is written beside each map.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.explanation import Explanation, Faithfulness, Sanity
from wiesel.language import language, number, say
from wiesel.reports.pictures import DIVERGING, SEQUENTIAL, colours, data_uri, mapped, photograph, reduced, scale_bar, signed
from wiesel.reports.words import printable

LONGEST_SIDE = 224
"""Pixels; larger pictures and maps are averaged down to it for display."""

Role = Literal["predicted", "true", "runner-up", "asked"]


@dataclass(frozen=True)
class Pair:
    """One method's maps for the classes of `Explained.roles`, in that order, and its checks for the predicted class."""

    method: str
    explanations: tuple[Explanation, ...]
    sanity: Sanity | None = None
    faithfulness: Faithfulness | None = None

    @property
    def limit(self) -> float:
        """Largest magnitude of these maps: the end of the colour scale that they share."""
        return max(float(np.nan_to_num(np.abs(one.raw), posinf=0.0).max()) for one in self.explanations)

    @property
    def is_signed(self) -> bool:
        return self.explanations[0].kind == "evidence"


@dataclass(frozen=True)
class Neighbour:
    """A training picture that the network sees as near: its cosine in feature space, and itself as a PNG."""

    name: str
    label: str
    likeness: float
    png: bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class Explained:
    """One picture."""

    image: str
    pixels: NDArray[np.uint8] = field(repr=False)
    """(H, W, C) as the network saw it, before normalisation."""
    roles: tuple[tuple[Role, str], ...]
    """What each explained class is, and its name: the predicted one first."""
    pairs: tuple[Pair, ...]
    neighbours: tuple[Neighbour, ...] = ()
    """The nearest first; empty if they were not asked for."""

    def to_json(self) -> dict[str, Any]:
        names = [{"role": role, "label": label} for role, label in self.roles]
        return {
            "image": self.image,
            "methods": [
                {
                    "method": pair.method,
                    "classes": [{**name, **one.to_json()} for name, one in zip(names, pair.explanations, strict=True)],
                    "sanity": pair.sanity.to_json() if pair.sanity else None,
                    "faithfulness": pair.faithfulness.to_json() if pair.faithfulness else None,
                }
                for pair in self.pairs
            ],
            "neighbours": [{"name": one.name, "label": one.label, "likeness": one.likeness} for one in self.neighbours],
        }


def role_name(role: Role) -> str:
    return {
        "predicted": say(en="predicted", de="vorhergesagt"),
        "true": say(en="true, by the name of its folder", de="wahr, nach dem Namen seines Ordners"),
        "runner-up": say(en="runner-up", de="zweitwahrscheinlichste"),
        "asked": say(en="asked for", de="verlangt"),
    }[role]


def html(explained: list[Explained]) -> str:
    """The page, in the reader's language."""
    title = say(en="What speaks for this class?", de="Was spricht für diese Klasse?")
    style = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    parts = [
        "<!doctype html>",
        f'<html lang="{language()}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'sha256-{style}'\">",
        f"<title>{escape(title)}</title><style>{CSS}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>{escape(_how_to_read())}</p>",
        *(_section(one) for one in explained),
        "</body></html>",
    ]
    return "\n".join(parts)


def png(explained: list[Explained]) -> bytes:
    """The same maps as one picture: a row for each picture and method."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    rows = [(one, pair) for one in explained for pair in one.pairs]
    most = max(len(one.roles) for one in explained)
    figure = Figure(figsize=(3 * (most + 1), 3.2 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), most + 1, squeeze=False)
    for row, (one, pair) in zip(axes, rows, strict=True):
        for axis in row:
            axis.set_axis_off()
        grey = one.pixels.shape[-1] == 1
        row[0].imshow(one.pixels[..., 0] if grey else one.pixels, cmap="gray" if grey else None, vmin=0, vmax=255)
        row[0].set_title(_plain(one.image.rsplit("/", 1)[-1], 28), fontsize=9)
        nodes, low = (DIVERGING, -pair.limit) if pair.is_signed else (SEQUENTIAL, 0.0)
        for axis, (_role, label), explanation in zip(row[1:], one.roles, pair.explanations, strict=False):
            drawn = axis.imshow(
                explanation.picture,
                cmap=ListedColormap(colours(nodes) / 255),
                vmin=low,
                vmax=pair.limit or 1,
                interpolation="nearest",
            )
            axis.set_title(f"{pair.method}: {_plain(label, 20)}\n{_plain(_range(explanation), 60)}", fontsize=8)
            figure.colorbar(drawn, ax=axis, shrink=0.7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _section(one: Explained) -> str:
    classes = ", ".join(
        f"{label} ({role_name(role)}, {number(100 * explanation.probability, 1)} %)"
        for (role, label), explanation in zip(one.roles, one.pairs[0].explanations, strict=True)
    )
    return "\n".join(
        [
            f"<section><h2>{_safe(one.image)}</h2><p>{_safe(classes)}</p>",
            *(_pair(one, pair) for pair in one.pairs),
            _checks(one),
            _neighbours(one),
            "</section>",
        ]
    )


def _pair(one: Explained, pair: Pair) -> str:
    first = pair.explanations[0]
    where = say(en=f", layer {first.layer}: {first.reason}", de=f", Schicht {first.layer}: {first.reason}") if first.layer else ""
    photo = data_uri(photograph(reduced(one.pixels, LONGEST_SIDE).round().astype(np.uint8)))
    figures = [_figure([photo], [say(en="the picture, as the network gets it", de="das Bild, wie das Netz es bekommt")])]
    for (role, label), explanation in zip(one.roles, pair.explanations, strict=True):
        said = [f"{label} ({role_name(role)})", _range(explanation), *explanation.remarks, explanation.interpolation]
        figures.append(_figure([photo, _drawn(pair, explanation)], said))
    return f"<h3>{_safe(pair.method)}<small>{_safe(where)}</small></h3><div class='row'>{''.join(figures)}</div>{_scale(pair)}"


def _figure(layers: list[str], said: list[str]) -> str:
    """The last of `layers` alone, in the colours of the scale; if there are more, all of them over each other too, small."""
    first, *rest = said
    shown = [f'<img src="{layer}" alt="{_safe(first)}">' for layer in layers]
    together = f"<div class='stack small'>{''.join(shown)}</div>" if len(shown) > 1 else ""
    lines = "".join(f"<br>{_safe(line)}" for line in rest)
    return f"<figure><div class='stack'>{shown[-1]}</div>{together}<figcaption><b>{_safe(first)}</b>{lines}</figcaption></figure>"


def _drawn(pair: Pair, explanation: Explanation) -> str:
    values = np.nan_to_num(reduced(explanation.picture, LONGEST_SIDE))
    return data_uri(signed(values, pair.limit) if pair.is_signed else mapped(values, 0.0, pair.limit))


def _scale(pair: Pair) -> str:
    bar = data_uri(scale_bar(DIVERGING if pair.is_signed else SEQUENTIAL))
    low = _short(-pair.limit) if pair.is_signed else "0"
    said = say(en="both maps on this scale", de="beide Karten auf dieser Skala")
    return f"<p class='scale'>{low} <img src='{bar}' alt=''> {_short(pair.limit)} <small>{_safe(said)}</small></p>"


def _checks(one: Explained) -> str:
    """The methods beside each other, if they were checked."""
    rows = []
    for pair in one.pairs:
        if pair.sanity is None or pair.faithfulness is None:
            continue
        verdict = say(en="changes", de="ändert sich") if pair.sanity.passed else say(en="STAYS THE SAME", de="BLEIBT GLEICH")
        rows.append(
            "<tr>"
            + f"<th>{_safe(pair.method)}</th>"
            + f"<td>{number(pair.sanity.correlation, 2)} ({_safe(verdict)})</td>"
            + f"<td>{number(pair.faithfulness.deletion.area, 3)} ({number(pair.faithfulness.random_deletion, 3)})</td>"
            + f"<td>{number(pair.faithfulness.insertion.area, 3)} ({number(pair.faithfulness.random_insertion, 3)})</td></tr>"
        )
    if not rows:
        return ""
    heads = (
        say(en="method", de="Methode"),
        say(en="rank correlation with the map of scrambled weights", de="Rangkorrelation mit der Karte verwürfelter Gewichte"),
        say(en="deletion, lower is better (random order)", de="Löschen, tiefer ist besser (zufällige Reihenfolge)"),
        say(en="insertion, higher is better (random order)", de="Einfügen, höher ist besser (zufällige Reihenfolge)"),
    )
    return "<table><tr>" + "".join(f"<th>{_safe(head)}</th>" for head in heads) + "</tr>" + "".join(rows) + "</table>"


def _neighbours(one: Explained) -> str:
    """The nearest training pictures, if they were asked for."""
    if not one.neighbours:
        return ""
    title = say(en="Nearest training pictures in feature space", de="Nächste Trainingsbilder im Merkmalsraum")
    cosine = say(en="cosine", de="Kosinus")
    shown = [
        _figure([data_uri(near.png)], [near.label, f"{cosine} {number(near.likeness, 3)}", near.name]) for near in one.neighbours
    ]
    return f"<h3>{_safe(title)}</h3><div class='row'>{''.join(shown)}</div>"


def _how_to_read() -> str:
    return say(
        en="Orange speaks for the class, blue against it, pale means nothing either way; of magnitudes (saliency, smoothgrad), light is much. "
        "The small picture lays the map over the photograph, which mixes their colours. Maps show what moved the score of this network; "
        "whether that is a good reason, they do not say.",
        de="Orange spricht für die Klasse, Blau dagegen, Blass für keines von beiden; bei Beträgen (saliency, smoothgrad) ist hell viel. "
        "Das kleine Bild legt die Karte über das Foto, was die Farben mischt. Die Karten zeigen, was den Wert dieses Netzes bewegt; "
        "ob das ein guter Grund ist, sagen sie nicht.",
    )


def _range(explanation: Explanation) -> str:
    low, high = explanation.range
    return say(en=f"values {_short(low)} to {_short(high)}", de=f"Werte {_short(low)} bis {_short(high)}")


def _short(value: float) -> str:
    text = f"{value:.3g}"
    return text.replace(".", ",") if language() == "de" else text


def _safe(text: str) -> str:
    return escape(printable(text))


def _plain(text: str, longest: int) -> str:
    """For Matplotlib, which reads dollars as mathematics."""
    return (text if len(text) <= longest else text[: longest - 1] + "…").replace("$", r"\$")


CSS = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
.row{display:flex;flex-wrap:wrap;gap:1.5rem}
figure{margin:0}
.stack{position:relative;width:12rem}
.stack img{width:100%;display:block;image-rendering:pixelated}
figure{display:grid;grid-template-columns:12rem auto;gap:.4rem;max-width:18rem;align-content:start}
figcaption{grid-column:1/-1}
.small{width:5rem}
.stack img+img{position:absolute;inset:0;opacity:.65}
figcaption,small{font-size:.8rem;font-weight:400;overflow-wrap:anywhere}
.scale img{width:12rem;height:.8rem;vertical-align:middle}
table{border-collapse:collapse;margin:1rem 0}
th,td{border:1px solid #8886;padding:.3rem .6rem;text-align:left}
"""
