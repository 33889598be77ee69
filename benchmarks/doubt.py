"""Which doubt is worth what: heads on a finished run, their accuracy, calibration, and how well they notice pictures from elsewhere.

    python benchmarks/doubt.py RUN [--ensemble RUN …] [--against mnist] [--data-dir DIR] [--threads 2] [--output doubt.json]

Three questions, on the test split of RUN:
  1. Does deep kernel learning train without diverging, in every one of `--seeds` fits, and how far is its accuracy from the run's own head?
  2. Every method side by side: accuracy, NLL, calibration error, AUROC against pictures from elsewhere (percentile bootstrap), and the
     difference of that AUROC from max-softmax's (paired, DeLong).
  3. `--few` labels per class, `--few-seeds` times: deep kernel learning against a softmax head on the same features and labels, with the
     verdict of `wiesel compare`. Twice: on the features of RUN (which has seen all labels, so this is about the head alone), and on those of
     a plain CNN that is trained from nothing on these few pictures, against that CNN itself.

Without MNIST on this machine: `--against digits` (scikit-learn's, enlarged), or any folder or .zip.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wiesel.batches import EvaluationBatches
from wiesel.comparison.judgement import judge
from wiesel.comparison.outcomes import Outcomes, arm
from wiesel.comparison.rules import Rules
from wiesel.comparison.sentences import sentence
from wiesel.errors import HeadDiverged, NoDropout
from wiesel.evaluation.calibration import calibration
from wiesel.evaluation.intervals import Interval
from wiesel.evaluation.probabilities import log_softmax, logits_from
from wiesel.images import DataSet, data_set_of
from wiesel.images.dataset import Images
from wiesel.jobs.evaluate import pictures_of
from wiesel.jobs.head import Taking, few, paired
from wiesel.jobs.train import train_only
from wiesel.runs import trained
from wiesel.runs.trained import Trained
from wiesel.uncertainty import dkl, dropout, laplace, sngp, softmax
from wiesel.uncertainty.answer import Answer, of_logits
from wiesel.uncertainty.ensemble import ensemble
from wiesel.uncertainty.features import Features, ending, features_of
from wiesel.uncertainty.out_of_distribution import Mahalanobis, auroc, auroc_difference

Floats = NDArray[np.float64]


def tell(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def bootstrap_auroc(inside: Floats, outside: Floats, *, resamples: int = 500, seed: int = 0) -> Interval:
    """Percentile bootstrap over both sets."""
    rng = np.random.default_rng(seed)
    values = [auroc(rng.choice(inside, len(inside)), rng.choice(outside, len(outside))).value for _ in range(resamples)]
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(auroc(inside, outside).value, float(low), float(high))


class Table:
    """Rows of the second question, printed as they come."""

    def __init__(self, labels: NDArray[np.int64], reference: tuple[Floats, Floats]) -> None:
        self.labels, self.reference = labels, reference
        self.rows: list[dict[str, Any]] = []
        print(f"{'method':34} {'accuracy':>8} {'NLL':>7} {'ECE %':>20} {'AUROC %':>22} {'ahead of max-softmax, points':>30}")

    def add(self, name: str, log_p: Floats, inside: Floats, outside: Floats) -> None:
        """`log_p` (N, K) of the test pictures; doubt about them and about those from elsewhere."""
        right = log_p.argmax(1) == self.labels
        ece = calibration(np.exp(log_p.max(1)).clip(0, 1), right).ece
        nll = float(-log_p[np.arange(len(right)), self.labels].mean())
        found = bootstrap_auroc(inside, outside)
        ahead = auroc_difference((inside, outside), self.reference)
        self.rows.append(
            {"method": name, "accuracy": right.mean(), "nll": nll, "ece": vars(ece), "auroc": vars(found), "ahead": vars(ahead)}
        )
        between = f"{100 * ahead.low:+.2f} … {100 * ahead.high:+.2f}"
        print(
            f"{name:34} {100 * right.mean():8.2f} {nll:7.4f} {ece.percent(2).replace(' %', ''):>20} "
            f"{found.percent(2).replace(' %', ''):>22} {between:>30}",
            flush=True,
        )

    def answers(self, name: str, test: Answer, outside: Answer) -> None:
        """One row for each score that the method has."""
        for score, doubt in test.scores.items():
            self.add(f"{name}: {score}", log_softmax(logits_from(test.probabilities)), doubt, outside.scores[score])


def seeds_of_dkl(
    known: Features, labels: NDArray[np.int64], test: Features, truth: NDArray[np.int64], classes: int, seeds: int
) -> Any:
    """The first question; the head of the first seed is kept for the table."""
    own = test.logits.argmax(1) == truth
    first, rows = None, []
    for seed in range(seeds):
        try:
            fitted, seconds = timed(partial(dkl.fit, known.values, labels, classes, seed))
        except HeadDiverged as error:
            rows.append({"seed": seed, "diverged": True})
            tell(str(error))
            continue
        first = first or fitted
        probabilities = fitted.probabilities(test.values)
        right = probabilities.argmax(1) == truth
        ahead = paired(right, own)
        nll = float(-logits_from(probabilities)[np.arange(len(truth)), truth].mean())
        rows.append(
            {"seed": seed, "diverged": False, "setbacks": fitted.setbacks, "accuracy": right.mean(), "nll": nll, "seconds": seconds}
            | {"ahead": vars(ahead)}
        )
        tell(
            f"dkl, seed {seed}: {100 * right.mean():.2f} %, {100 * ahead.low:+.2f} … {100 * ahead.high:+.2f} points from the run's own head "
            f"({100 * own.mean():.2f} %), NLL {nll:.4f}, {fitted.setbacks} setbacks, {seconds:.0f} s"
        )
    done = [row for row in rows if not row["diverged"]]
    mean = 100 * (np.mean([row["accuracy"] for row in done]) - own.mean()) if done else float("nan")
    print(
        f"deep kernel learning: {len(done)} of {seeds} without divergence; mean accuracy {mean:+.2f} points from the run's own head"
    )
    return first, rows


def methods(
    model: Trained,
    parts: dict[str, Images],
    known: Features,
    labels: NDArray[np.int64],
    test: Features,
    outside: Features,
    process: dkl.Dkl | None,
    members: list[tuple[Features, Features]],
) -> list[dict[str, Any]]:
    """The second question."""
    truth, classes = parts["test"].labels, len(model.classes)
    own, strange = of_logits(torch.from_numpy(test.logits)), of_logits(torch.from_numpy(outside.logits))
    reference = (1 - own.probabilities.max(1), 1 - strange.probabilities.max(1))
    table, log_own = Table(truth, reference), log_softmax(test.logits)
    table.add("max-softmax", log_own, *reference)
    table.add("entropy", log_own, own.entropy, strange.entropy)
    mahalanobis = Mahalanobis.fit(known.values, labels)
    table.add("Mahalanobis", log_own, mahalanobis(test.values), mahalanobis(outside.values))
    layer = ending(model.network, next(iter(EvaluationBatches(parts["test"].take([0]), model.preprocessing))).pictures)
    bias = np.zeros(layer.out_features) if layer.bias is None else layer.bias.detach().numpy()
    weights = (layer.weight.detach().numpy(), bias)
    try:
        batches = [EvaluationBatches(parts[name], model.preprocessing) for name in ("test", "outside")]
        table.answers("MC dropout, 30 passes", *(dropout.passes(model.network, one) for one in batches))
    except NoDropout:
        for rate in (0.1, 0.5):
            table.answers(
                f"dropout {rate} before the head", *(dropout.before_head(f.values, *weights, rate=rate) for f in (test, outside))
            )
    around = laplace.fit(known.values, labels, classes, trained=weights)
    tell(f"Laplace: {around.structure}, precision {around.precision:g}")
    table.answers("Laplace", around.answer(test.values), around.answer(outside.values))
    random_features, seconds = timed(partial(sngp.fit, known.values, labels, classes))
    tell(f"SNGP: precision {random_features.precision:g}, {random_features.setbacks} setbacks, {seconds:.0f} s")
    table.answers("SNGP", random_features.answer(test.values), random_features.answer(outside.values))
    if process is not None:
        table.answers("DKL", process.answer(test.values), process.answer(outside.values))
    if members:
        inside, far = (ensemble([one.logits, *(pair[side].logits for pair in members)]) for side, one in ((0, test), (1, outside)))
        name = f"ensemble of {len(members) + 1}"
        table.add(f"{name}: entropy", inside.log_probabilities, inside.total, far.total)
        table.add(f"{name}: information", inside.log_probabilities, inside.mutual_information, far.mutual_information)
    return table.rows


def few_labels(
    chosen: argparse.Namespace, model: Trained, data: DataSet, known: Features, training: Images, test: Features
) -> dict[str, Any]:
    """The third question."""
    assert data.test is not None
    truth, classes = data.test.labels, len(model.classes)
    right: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in ("softmax head", "dkl", "CNN", "CNN + dkl")}
    nll: dict[str, list[float]] = {name: [] for name in right}
    seconds: dict[str, list[float]] = {name: [] for name in right}

    def note(name: str, log_p: Floats, taken: float) -> None:
        right[name].append(log_p.argmax(1) == truth)
        nll[name].append(float(-log_p[np.arange(len(truth)), truth].mean()))
        seconds[name].append(max(taken, 1e-3))

    for seed in range(chosen.few_seeds):
        rows = few(training.labels, model.classes, chosen.few, seed)
        values, labels = known.values[rows], training.labels[rows]
        for name, fit in (("softmax head", softmax.fit), ("dkl", dkl.fit)):
            fitted, taken = timed(partial(fit, values, labels, classes, seed))
            note(name, logits_from(fitted.probabilities(test.values)), taken)
        if not chosen.no_cnn:
            cnn, taken = timed(partial(plain_cnn, chosen, model, training.take(rows), seed))
            own, seen = (
                features_of(cnn.network, EvaluationBatches(one, cnn.preprocessing)) for one in (data.test, training.take(rows))
            )
            note("CNN", log_softmax(own.logits), taken)
            fitted, more = timed(partial(dkl.fit, seen.values, labels, classes, seed))
            note("CNN + dkl", logits_from(fitted.probabilities(own.values)), taken + more)
        tell(f"seed {seed}: " + ", ".join(f"{name} {100 * found[-1].mean():.2f} %" for name, found in right.items() if found))
    verdicts = {}
    for baseline, challenger in (("softmax head", "dkl"), ("CNN", "CNN + dkl")):
        if right[baseline]:
            arms = tuple(arm(name, np.stack(right[name]), seconds[name]) for name in (baseline, challenger))
            said = sentence(judge(Outcomes(arms, truth, model.classes), Rules()), reader="en")
            means = ", ".join(f"{name} NLL {np.mean(nll[name]):.4f}" for name in (baseline, challenger))
            verdicts[f"{challenger} against {baseline}"] = {"verdict": said, "nll": means}
            print(f"{chosen.few} labels per class, {challenger} against {baseline}: {said}\n  mean {means}", flush=True)
    accuracies = {name: [float(one.mean()) for one in found] for name, found in right.items()}
    return {"labels_per_class": chosen.few, "accuracy": accuracies, "nll": nll, "seconds": seconds, "verdicts": verdicts}


def plain_cnn(chosen: argparse.Namespace, model: Trained, pictures: Images, seed: int) -> Trained:
    """A network trained from nothing on these pictures alone."""
    settings = {
        "epochs": chosen.few_epochs,
        "batch": 20,
        "rate": 0.002,
        "optimiser": "adamw",
        "flip": model.recipe.augmentation.flip,
    }
    with tempfile.TemporaryDirectory() as place:
        run = train_only(
            data_set_of(pictures, classes=model.classes),
            output=Path(place) / "run",
            architecture=chosen.few_model,
            seed=seed,
            threads=chosen.threads,
            **settings,
        )
        return trained.load(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--ensemble", type=Path, nargs="+", default=[], help="more runs on the same pictures")
    parser.add_argument("--against", default="mnist")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--pictures", type=int, default=0, help="training pictures for the heads; 0: all")
    parser.add_argument("--seeds", type=int, default=5, help="0: the third question only")
    parser.add_argument("--few", type=int, default=10, help="labels per class")
    parser.add_argument("--few-seeds", type=int, default=10)
    parser.add_argument("--few-model", default="resnet20", help="the plain CNN")
    parser.add_argument("--few-epochs", type=int, default=60)
    parser.add_argument("--no-cnn", action="store_true", help="leave the plain CNN out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)

    model = trained.load(chosen.run)
    data = pictures_of(model.run, data_dir=chosen.data_dir)
    assert data.test is not None
    training = data.train
    if 0 < chosen.pictures < len(training):
        rows = np.sort(np.random.default_rng(0).choice(len(training), chosen.pictures, replace=False))
        training = training.take(rows)
    taking = Taking(model, tell)
    known = taking.of(
        training, (data.fingerprint, "train", "None", "0") if training is data.train else (data.fingerprint, f"{chosen.pictures}")
    )
    test = taking.of(data.test, (data.fingerprint, "test"))
    outside, strangers = taking.elsewhere(chosen.against, chosen.data_dir), taking.strangers(chosen.against, chosen.data_dir)[0]
    members = []
    for path in chosen.ensemble:
        other = Taking(trained.load(path), tell)
        members.append((other.of(data.test, (data.fingerprint, "test")), other.elsewhere(chosen.against, chosen.data_dir)))
    print(
        f"{model.recipe.architecture}, {len(training)} training, {len(data.test)} test pictures, {len(outside)} from {chosen.against}"
    )

    seeds: Any = []
    table: list[dict[str, Any]] = []
    if chosen.seeds:
        process, seeds = seeds_of_dkl(known, training.labels, test, data.test.labels, len(model.classes), chosen.seeds)
        table = methods(model, {"test": data.test, "outside": strangers}, known, training.labels, test, outside, process, members)
    few_found = few_labels(chosen, model, data, known, training, test) if chosen.few_seeds else {}
    if chosen.output:
        document = {"run": str(chosen.run), "against": chosen.against, "dkl": seeds, "methods": table, "few": few_found}
        chosen.output.write_text(json.dumps(document, indent=1, default=number_of))


def number_of(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.tolist()


if __name__ == "__main__":
    main()
