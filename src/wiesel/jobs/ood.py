"""Does a run notice pictures from elsewhere? Scores of several methods on its own test pictures and on strange ones, as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel import images
from wiesel.batches import EvaluationBatches
from wiesel.batches.inference import logits_of
from wiesel.errors import BadValue, NoFeatures, OtherClasses, OtherPictures
from wiesel.jobs.evaluate import pictures_if_there, pictures_of
from wiesel.language import number, say
from wiesel.runs import trained
from wiesel.uncertainty.ensemble import ensemble
from wiesel.uncertainty.features import features_of
from wiesel.uncertainty.out_of_distribution import FROM_LOGITS, Detection, Mahalanobis, table

if TYPE_CHECKING:
    from wiesel.images import Images
    from wiesel.runs.trained import Trained

MOST = 10_000
"""Pictures of each kind, drawn with seed 0 where there are more."""

Scores = Mapping[str, tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True)
class Strangers:
    """What `ood` found. `scores`: method -> (own pictures, strange pictures), larger: stranger; what the table was made from."""

    runs: tuple[str, ...]
    inside: str
    outside: str
    rows: tuple[Detection, ...]
    scores: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    remarks: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        rows: list[Any] = msgspec.json.decode(msgspec.json.encode(self.rows))
        return {
            "runs": list(self.runs),
            "in": self.inside,
            "out": self.outside,
            "methods": rows,
            "remarks": list(self.remarks),
        }


def ood(
    runs: Sequence[Path | str] | Path | str,
    *,
    out: str | Path,
    inside: str | Path | None = None,
    most: int = MOST,
    more: Scores | None = None,
    data_dir: Path | str | None = None,
) -> Strangers:
    """AUROC and FPR at 95 % TPR of each method: pictures of the kind a run learned (`inside`; None: its test pictures) against `out`.

    The first run gives the scores of a single network; two runs and more also those of their ensemble. `more`: scores of further
    methods on the same pictures in the same order (`most` = 0 leaves none out), which get rows of their own.

    Raises:
        OtherClasses: the runs of an ensemble do not know the same classes. OtherPictures: nor the same pictures, or see them at another size.
        BadValue: `most` is below 0.
        DataChanged, UnknownData, PicturesError: the pictures of the run, or those from elsewhere, are not there or not usable.
    """
    if most < 0:
        raise BadValue(setting="most", value=most, expected=say(en="0 (all) or more", de="0 (alle) oder mehr"))
    models = [trained.load(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    first = models[0]
    for model in models[1:]:
        if model.classes != first.classes:
            raise OtherClasses(run=model.run.path, first=first.run.path)
    for place, model in enumerate(models[1:], start=2):
        _refuse_other_pictures(place, model, first)
    own = pictures_of(first.run, data_dir=data_dir) if inside is None else pictures_if_there(first.run, data_dir)
    remarks = []
    ours = _some(_strange(inside, first, data_dir) if inside is not None or own is None else own.test, most)
    theirs = _some(_strange(out, first, data_dir), most)
    answers = [_answers(first, part) for part in (ours, theirs)]
    scores: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        name: (score(answers[0][0]), score(answers[1][0])) for name, score in FROM_LOGITS.items()
    }
    features = [given[1] for given in answers]
    learned = None if own is None or features[0] is None or features[1] is None else _some(own.train, most)
    of_learned = None if learned is None else _answers(first, learned)[1]
    if learned is None or of_learned is None or features[0] is None or features[1] is None:
        remarks.append(
            say(
                en="No Mahalanobis: it needs the training pictures, and a network that ends in a linear layer.",
                de="Ohne Mahalanobis: Es braucht die Trainingsbilder und ein Netz, das mit einer linearen Schicht endet.",
            )
        )
    else:
        distance = Mahalanobis.fit(of_learned, learned.labels)
        scores["Mahalanobis"] = (distance(features[0]), distance(features[1]))
    if len(models) > 1:
        both = [
            ensemble([given[0], *(_answers(model, part)[0] for model in models[1:])])
            for given, part in zip(answers, (ours, theirs), strict=True)
        ]
        of = say(en=f"ensemble of {len(models)}", de=f"Ensemble aus {len(models)}")
        for name, score in (("max-softmax", FROM_LOGITS["max-softmax"]), ("entropy", FROM_LOGITS["entropy"])):
            scores[f"{of}: {name}"] = (score(both[0].log_probabilities), score(both[1].log_probabilities))
        scores[f"{of}: {say(en='mutual information', de='Transinformation')}"] = (
            both[0].mutual_information,
            both[1].mutual_information,
        )
        scores[f"{of}: {say(en='disagreement', de='Uneinigkeit')}"] = (both[0].disagreement, both[1].disagreement)
    for name, pair in (more or {}).items():
        scores[name] = (np.asarray(pair[0]), np.asarray(pair[1]))
    return Strangers(
        runs=tuple(str(model.run.path) for model in models),
        inside=str(inside) if inside is not None else first.recipe.data.source,
        outside=str(out),
        rows=table(scores),
        scores=scores,
        remarks=tuple(remarks),
    )


def sentence(found: Strangers) -> str:
    """The best row in words, in the reader's language."""
    best = max(found.rows, key=lambda row: row.auroc.value)
    return say(
        en=f"{best.method} tells the two apart best: in {number(100 * best.auroc.value, 1)} % of pairs the picture of {found.outside} is the stranger.",
        de=f"{best.method} trennt die beiden am besten: In {number(100 * best.auroc.value, 1)} % der Paare gilt das Bild aus {found.outside} als das fremdere.",
    )


def _strange(source: str | Path | None, model: Trained, data_dir: Path | str | None) -> Images:
    """Pictures of another source, brought to the size and channels of the network: its test split, or all if it has none."""
    assert source is not None
    prepared = model.preprocessing
    whole = images.load(source, data_dir=data_dir, size=prepared.height, channels=prepared.channels, fit=prepared.fit)
    return whole.test if whole.test is not None else whole.train


def _refuse_other_pictures(place: int, model: Trained, first: Trained) -> None:
    """Members of an ensemble see the same pictures in the same shape, and none has learned from what another is tested on."""
    shapes = [(one.preprocessing.image, one.preprocessing.fit) for one in (first, model)]
    if shapes[0] != shapes[1]:
        ours, theirs = (f"{' x '.join(map(str, image))} ({fit})" for image, fit in shapes)
        raise OtherPictures(number=place, first=ours, other=theirs, difference="")
    splits = [one.run.read_splits() for one in (first, model)]
    if any(splits[0][key] != splits[1][key] for key in ("fingerprint", "made")):
        ours, theirs = (f"{one['fingerprint'][:8]}, split {one['seed']}" for one in splits)
        raise OtherPictures(number=place, first=ours, other=theirs, difference="")


def _some(whole: Images | None, most: int) -> Images:
    assert whole is not None
    if not 0 < most < len(whole):
        return whole
    return whole.take(np.sort(np.random.default_rng(0).permutation(len(whole))[:most]))


def _answers(model: Trained, part: Images) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Logits (N, K), and features (N, D), what the last linear layer gets; None if the network does not end in one."""
    batches = EvaluationBatches(part, model.preprocessing)
    precision = model.run.read_provenance()["settled"]["precision"]
    try:
        found = features_of(model.network, batches, precision=precision)
    except NoFeatures:
        return logits_of(model.network, batches, precision=precision), None
    return found.logits, found.values if found.values.ndim == 2 else None
