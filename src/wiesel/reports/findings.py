"""What a section found, in one or a few sentences; every number in them comes from the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from wiesel.evaluation import Calibration
from wiesel.reports.facts import Facts
from wiesel.reports.words import Words

ROUGH = 0.05
"""Width of the accuracy's interval from which on the test is called small."""
FEW = 20
NAMES_LISTED = 5


def baseline(facts: Facts) -> float:
    """Share of the most frequent class among the test pictures."""
    return max(row.support for row in facts.evaluation.per_class) / facts.evaluation.n


def warnings(facts: Facts, words: Words) -> list[str]:
    evaluation, history, origin = facts.evaluation, facts.history, facts.origin
    accuracy = evaluation.accuracy
    width = accuracy.high - accuracy.low
    few = [row.name for row in evaluation.per_class if 0 < row.support < FEW]
    said: list[tuple[object, str, dict[str, object]]] = [
        (width > ROUGH, "few", {"n": evaluation.n, "half": 50 * width}),
        (few, "few_of_class", {"k": len(few), "names": _names(few, words)}),
        (accuracy.value <= baseline(facts), "baseline", {"share": baseline(facts)}),
        (evaluation.never_predicted, "never", _of(evaluation.never_predicted, facts, words)),
        (evaluation.absent, "absent", _of(evaluation.absent, facts, words)),
        (evaluation.tied, "tied", {"n": evaluation.tied}),
        (history.stopped_early, "early", {"done": history.done, "planned": history.planned}),
        (history.resumed, "resumed", {"n": history.resumed}),
        (origin.looks > 1, "looks", {"n": origin.looks}),
        (origin.left_out, "left_out", {"n": len(origin.left_out)}),
        (not facts.has_pictures, "no_pictures", {}),
    ]
    return [words(f"warning.{key}", **values) for holds, key, values in said if holds] + list(origin.warnings)


def summary(facts: Facts, words: Words) -> list[str]:
    evaluation = facts.evaluation
    accuracy = evaluation.accuracy
    return [
        words(
            "summary.finding",
            model=facts.network.architecture,
            hits=round(accuracy.value * evaluation.n),
            n=evaluation.n,
            low=accuracy.low,
            high=accuracy.high,
        ),
        words("summary.baseline", share=baseline(facts)),
        *twins(facts, words),
    ]


def twins(facts: Facts, words: Words) -> list[str]:
    """What the test pictures with a twin in training did to the score; nothing if there are none."""
    found = facts.twins
    if found is None or not found.exact + found.near:
        return []
    facts_of_it = {"n": found.exact + found.near, "exact": found.exact, "near": found.near}
    return [words("summary.twins", **facts_of_it, value=found.without.value, low=found.without.low, high=found.without.high)]


def network(facts: Facts, words: Words) -> list[str]:
    found = facts.network
    dear = max(found.stages, key=lambda stage: stage.macs)
    large = max(found.stages, key=lambda stage: stage.parameters)
    said = [
        words(
            "network.finding",
            parameters=found.parameters,
            layers=sum(stage.weighted for stage in found.stages),
            stage=dear.label,
            share=dear.macs / max(found.macs, 1),
            macs=found.macs,
            other=large.label,
            part=large.parameters / max(found.parameters, 1),
        )
    ]
    kinds = Counter(block.skip for stage in found.stages for block in stage.blocks)
    without = kinds.pop("none", 0)
    if kinds:
        listed = [words(f"network.kind.{kind}", n=count) for kind, count in sorted(kinds.items())]
        said.append(words("network.skips", n=kinds.total(), kinds=words.listed(listed)))
    elif without:
        said.append(words("network.no_skips", n=without))
    return said


def curves(facts: Facts, words: Words) -> list[str]:
    history = facts.history
    if not history.epochs:
        return [words("curves.none")]
    best = history.best_epoch
    gap = 100 * (best.train_accuracy - best.validation_accuracy)
    kind = "over" if gap > 1 else "under" if gap < -1 else "equal"
    said = [
        words("curves.finding", best=best.epoch, epochs=history.done, value=best.validation_accuracy),
        words(f"curves.{kind}", gap=abs(gap)),
    ]
    if small := [row for row in history.epochs if row.resolution]:
        said.append(
            words("curves.small", last=small[-1].epoch, pixels=words.listed(sorted({str(row.resolution) for row in small})))
        )
    return said + ([words("curves.rising")] if history.best == history.done > 1 else [])


def confusion(facts: Facts, words: Words) -> list[str]:
    evaluation = facts.evaluation
    if not evaluation.mixed_pairs:
        return [words("confusion.none", n=evaluation.n)]
    pair = evaluation.mixed_pairs[0]
    items = [
        words("confusion.item", name=words.quoted(facts.classes[one.index]), n=one.errors)
        for one in evaluation.most_confused_classes
    ]
    return [
        words(
            "confusion.finding",
            errors=evaluation.n - sum(row[i] for i, row in enumerate(evaluation.confusion)),
            n=evaluation.n,
            first=words.quoted(facts.classes[pair.first]),
            second=words.quoted(facts.classes[pair.second]),
            count=pair.count,
            there=pair.there,
            back=pair.back,
        ),
        words("confusion.four", n=len(items), list=words.listed(items)),
    ]


def classes(facts: Facts, words: Words) -> list[str]:
    evaluation = facts.evaluation
    present = [row for row in evaluation.per_class if row.support]
    worst, best = min(present, key=lambda row: row.f1), max(present, key=lambda row: row.f1)
    if worst.f1 == 1:
        return [words("classes.perfect")]
    said = words(
        "classes.finding",
        precision=evaluation.macro.precision,
        recall=evaluation.macro.recall,
        f1=evaluation.macro.f1,
        name=words.quoted(worst.name),
        worst=worst.f1,
        best_name=words.quoted(best.name),
        best=best.f1,
    )
    precision, recall, name = worst.precision.value, worst.recall.value, words.quoted(worst.name)
    if not worst.f1:
        return [said, words("classes.nothing", name=name)]
    if recall < precision - 0.03:
        return [said, words("classes.misses", name=name, precision=precision, missed=1 - recall, recall=recall, value=precision)]
    if precision < recall - 0.03:
        return [said, words("classes.claims", name=name, recall=recall, false=1 - precision, value=precision, share=recall)]
    return [said, words("classes.both", name=name, value=precision, recall=recall)]


def pictures(facts: Facts, words: Words) -> list[str]:
    wrong = [str(picture.index + 1) for picture in facts.first if not picture.right]
    values = {"n": len(facts.first), "right": len(facts.first) - len(wrong)}
    return [words("pictures.finding_one", wrong=words.listed(wrong), **values) if wrong else words("pictures.finding", **values)]


def softmax(facts: Facts, words: Words) -> list[str]:
    most = max(facts.softmax, key=lambda one: one.picture.confidence).picture
    least = min(facts.softmax, key=lambda one: one.picture.confidence).picture
    return [
        words(
            "softmax.finding",
            n=len(facts.softmax),
            most=most.index + 1,
            name=words.quoted(facts.classes[most.prediction]),
            p=most.confidence,
            least=least.index + 1,
            other=words.quoted(facts.classes[least.prediction]),
            q=least.confidence,
        )
    ]


def maps(facts: Facts, words: Words) -> list[str]:
    if facts.walk is None:
        return [words("page.no_pictures")]
    layers = facts.walk.layers
    if not layers:
        return [words("maps.none")]
    return [
        words(
            "maps.finding",
            first=layers[0].layer.removeprefix("features."),
            last=layers[-1].layer.removeprefix("features."),
            start=layers[0].zeros,
            end=layers[-1].zeros,
            dead=sum(layer.dead for layer in layers),
            n=sum(layer.shape[0] for layer in layers),
        )
    ]


def filters(facts: Facts, words: Words) -> list[str]:
    found = facts.network.filters
    if found is None:
        return [words("filters.none")]
    strongest = max(one.norm for one in found.filters)
    out, _, height, width = found.shape
    return [
        words(
            "filters.finding",
            n=out,
            layer=found.layer,
            h=height,
            w=width,
            low=found.low,
            high=found.high,
            weak=sum(one.norm < strongest / 10 for one in found.filters),
        )
    ]


def calibration(facts: Facts, words: Words) -> list[str]:
    found, accuracy = facts.evaluation.calibration, facts.evaluation.accuracy.value
    sure = mean_confidence(found)
    kind = "fits" if found.ece.low == 0 else "over" if sure > accuracy else "under"
    ece = found.ece
    return [words(f"calibration.{kind}", confidence=sure, accuracy=accuracy, ece=ece.value, low=ece.low, high=ece.high)]


def mean_confidence(found: Calibration) -> float:
    return sum(row.count * row.confidence for row in found.bins) / sum(row.count for row in found.bins)


def uncertainty(facts: Facts, words: Words) -> list[str]:
    found = facts.uncertainty
    if found is None:
        return [words("uncertainty.none", run=facts.run)]
    kind = "validation" if found.calibrated_on == "validation" else "half"
    said = [words(f"uncertainty.on_{kind}", n=found.calibration_pictures, m=found.pictures)]
    temperature = found.temperature
    key = {"fitted": "cools" if temperature.value < 1 else "heats", "not needed": "idle", "undetermined": "open"}[
        temperature.outcome
    ]
    said.append(words(f"uncertainty.{key}", t=temperature.value, before=found.nll_before, after=found.nll_after))
    most = next((point for point in reversed(found.selective.points) if point.coverage < 1), None)
    if most is not None:
        said.append(
            words(
                "uncertainty.declines",
                share=most.coverage,
                accuracy=most.accuracy.value,
                all=found.selective.points[-1].accuracy.value,
            )
        )
    sets = next((one for one in found.sets if one.threshold.method == "aps"), None)
    if sets is not None:
        said.append(words("uncertainty.sets", level=found.level, coverage=sets.found.coverage.value, size=sets.found.mean_size))
    return said


def mistakes(facts: Facts, words: Words) -> list[str]:
    if not facts.mistakes:
        return [words("mistakes.none")]
    first, evaluation = facts.mistakes[0], facts.evaluation
    return [
        words(
            "mistakes.finding",
            number=first.index + 1,
            truth=words.quoted(facts.classes[first.truth]),
            prediction=words.quoted(facts.classes[first.prediction]),
            p=first.confidence,
            sure=facts.sure_mistakes,
            errors=evaluation.n - round(evaluation.accuracy.value * evaluation.n),
        )
    ]


def kin(facts: Facts, words: Words) -> list[str]:
    found = facts.kin
    if found is None:
        return [words("page.no_pictures")]
    said = [words("kin.finding", n=found.compared, all=found.available)]
    near = [one for pair in found.nearest for one in pair.training[:1] if one.label == pair.picture.prediction]
    if found.nearest:
        said.append(words("kin.mislead", n=len(near), mistakes=len(found.nearest)))
    return said


def origin(facts: Facts, words: Words) -> list[str]:
    found = facts.origin
    started = words("origin.started", when=found.started[:16].replace("T", " ") + " UTC") if found.started else ""
    return [words("origin.finding", seed=found.seed, threads=found.threads, precision=found.precision, started=started)]


FINDINGS: dict[str, Callable[[Facts, Words], list[str]]] = {
    "summary": summary,
    "network": network,
    "curves": curves,
    "confusion": confusion,
    "classes": classes,
    "pictures": pictures,
    "softmax": softmax,
    "maps": maps,
    "filters": filters,
    "calibration": calibration,
    "uncertainty": uncertainty,
    "mistakes": mistakes,
    "kin": kin,
    "origin": origin,
}
"""The sections in the order of the page."""


def _names(names: list[str], words: Words) -> str:
    listed = [words.quoted(name) for name in names[:NAMES_LISTED]]
    rest = len(names) - len(listed)
    return words.listed(listed) if not rest else f"{', '.join(listed)} {words('page.more', n=rest)}"


def _of(indices: tuple[int, ...], facts: Facts, words: Words) -> dict[str, object]:
    return {"k": len(indices), "names": _names([facts.classes[i] for i in indices], words)}
