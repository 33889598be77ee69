"""The lab sheet's second task, (a) to (l): runs against what they should be, functions against any network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from wiesel.language import grouped, number, say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.checks.run_folder import accuracy_of, changes_of, opened, unfinished

SIZES = ("kernel", "width", "depth")
VERDICTS = {
    "better": "besser",
    "worse": "schlechter",
    "same": "praktisch gleich",
    "undecided": "unentschieden",
    "test_set_too_small": "zu wenig Testbilder",
}


def check(own: Own) -> Iterator[Result]:
    good = say(en="as asked.", de="wie gefragt.")
    yield own.part("(a)", "more_epochs", lambda path: _epochs(own, path), _told(own, "fewer_epochs", "more_epochs") or good)
    yield own.part("(b)", "some_sigmoid", lambda path: _sigmoid(own, path), good)
    yield own.part(
        "(c)", "with_activation", _activation, say(en="every one of them, however deep.", de="jede einzelne, wie tief auch immer.")
    )
    yield own.part("(d)", "pooling_outputs", _poolings, good)
    yield own.part("(e)", "stride_comparison", lambda path: _comparison(own, path), _verdict(own) or good)
    yield own.text("(f)", "for_and_against")
    yield _sizes(own)
    yield own.part("(h)", "deeper", lambda build: _layers(build, 4, 99, 2, 99), good)
    yield own.part("(h)", "shallower", lambda build: _layers(build, 1, 1, 1, 1), good)
    yield own.part("(i)", "simplest", lambda path: _simplest(own, path), good)
    yield own.part(
        "(j)", "Parallel", _parallel, say(en="two convolutions see the same input.", de="zwei Faltungen sehen dieselbe Eingabe.")
    )
    yield own.part("(k)", "Answering", _answering, good)
    yield own.text("(l)", "to_a_friend")


def _finished(own: Own, path: Any) -> Any:
    run = opened(own, path)
    if wrong := unfinished(run):
        raise ValueError(wrong)
    return run


def _told(own: Own, *names: str) -> str:
    try:
        return " / ".join(f"{number(100 * accuracy_of(opened(own, own.get(name))), 1)} %" for name in names)
    except Exception:  # said by the check itself
        return ""


def _epochs(own: Own, path: Any) -> str | None:
    if own.get("fewer_epochs") is None:
        return say(en="`fewer_epochs` is missing", de="`fewer_epochs` fehlt")
    fewer, more = (_finished(own, one).read_recipe() for one in (own.get("fewer_epochs"), path))
    if (fewer.architecture, fewer.network, fewer.data) != (more.architecture, more.network, more.data):
        return say(
            en="network or data differ too, not only the epochs", de="auch Netz oder Daten sind andere, nicht nur die Epochen"
        )
    if more.training.epochs <= fewer.training.epochs:
        return say(
            en=f"{more.training.epochs} epochs are not more than {fewer.training.epochs}",
            de=f"{more.training.epochs} Epochen sind nicht mehr als {fewer.training.epochs}",
        )
    return None


def _sigmoid(own: Own, path: Any) -> str | None:
    found = [change for change in changes_of(_finished(own, path)) if change.startswith("activation=sigmoid")]
    if not found:
        return say(en="this run has no sigmoid", de="dieser Lauf hat kein Sigmoid")
    return (
        None
        if "@" in found[0]
        else say(
            en="here all activations are sigmoid: `@LAYER` restricts it",
            de="hier sind alle Aktivierungen Sigmoid: `@SCHICHT` schränkt ein",
        )
    )


def _activation(theirs: Any) -> str | None:
    inner = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Sequential(nn.ReLU(inplace=True), nn.Sequential(nn.ReLU())))
    changed = theirs(inner, nn.Sigmoid)
    left = sum(isinstance(layer, nn.ReLU) for layer in changed.modules())
    new = sum(isinstance(layer, nn.Sigmoid) for layer in changed.modules())
    if not left and new != 3:
        return say(
            en=f"no ReLU is left, but instead of three ReLUs there are {new} of the new ones: call `new()` for each",
            de=f"kein ReLU ist mehr da, aber an der Stelle der drei stehen {new} neue: ruf `new()` für jedes auf",
        )
    if left:
        return say(
            en=f"of three ReLUs in nested layers {left} are left",
            de=f"von drei ReLU in verschachtelten Schichten sind {left} noch da",
        )
    return None


def _poolings(theirs: Any) -> str | None:
    torch.manual_seed(0)
    shared = nn.MaxPool2d(2)
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), shared, nn.Sequential(nn.ReLU(), nn.MaxPool2d(3)))
    pictures = torch.randn(2, 1, 12, 12)
    first = shared(network[0](pictures))
    expected = [first, network[2](first)]
    given = theirs(network, pictures)
    if len(given) != 2:
        return say(
            en=f"the network has 2 poolings; number of your outputs: {len(given)}",
            de=f"das Netz hat 2 Poolings; Zahl deiner Ausgaben: {len(given)}",
        )
    if any(a.shape != b.shape or not torch.allclose(a, b, atol=1e-5) for a, b in zip(given, expected, strict=True)):
        return say(en="these are not the outputs of the poolings", de="das sind nicht die Ausgaben der Poolings")
    if any(layer._forward_hooks for layer in network.modules()):
        return say(
            en="right, but the hooks stay in the network: remove them", de="richtig, aber die Hooks bleiben im Netz: entferne sie"
        )
    return None


def _comparison(own: Own, path: Any) -> str | None:
    file = own.path.parent / str(path) / "comparison.json"
    if not file.is_file():
        return say(
            en=f"there is no {file}: is the comparison finished?", de=f"es gibt keine Datei {file}: Ist der Vergleich fertig?"
        )
    plan = (file.parent / "plan.toml").read_text(encoding="utf-8")
    if "pooling=stride" not in plan:
        return say(en="this comparison is not about pooling=stride", de="dieser Vergleich handelt nicht von pooling=stride")
    return None


def _verdict(own: Own) -> str:
    try:
        plain = json.loads((own.path.parent / str(own.get("stride_comparison")) / "comparison.json").read_text(encoding="utf-8"))
        word = plain["verdict"]
        return say(en=f"verdict: {word.replace('_', ' ')}", de=f"Urteil: {VERDICTS.get(word, word)}")
    except Exception:  # said by the check itself
        return ""


def _sizes(own: Own) -> Result:
    paths = own.get("sizes")
    if not paths:
        return Result("(g)", "open", say(en="`sizes` is empty.", de="`sizes` ist leer."))
    try:
        runs = [_finished(own, path) for path in paths]
        designs = {(run.read_recipe().architecture, changes_of(run)) for run in runs}
        rows = [
            f"{' '.join(changes_of(run)) or run.read_recipe().architecture}: {number(100 * accuracy_of(run), 1)} %" for run in runs
        ]
    except Exception as error:
        return Result("(g)", "wrong", own.sentence(error))
    touched = any(change.startswith(SIZES) for run in runs for change in changes_of(run))
    if len(designs) < 3 or not touched:
        return Result(
            "(g)",
            "wrong",
            say(
                en="asked are three designs or more that differ in kernel, width or depth",
                de="gefragt sind mindestens drei Netze, die sich in Kern, Breite oder Tiefe unterscheiden",
            ),
        )
    return Result("(g)", "right", "\n".join(["", *rows]))


def _layers(build: Any, fewest: int, most: int, fewest_linear: int, most_linear: int) -> str | None:
    network = build()
    shape = tuple(network(torch.zeros(2, 1, 28, 28)).shape)
    if shape != (2, 10):
        return say(en=f"makes {shape} of (2, 1, 28, 28), not (2, 10)", de=f"macht {shape} aus (2, 1, 28, 28), nicht (2, 10)")
    convolutions, linear = (sum(isinstance(layer, kind) for layer in network.modules()) for kind in (nn.Conv2d, nn.Linear))
    if not (fewest <= convolutions <= most and fewest_linear <= linear <= most_linear):
        return say(
            en=f"convolutions: {convolutions}, asked {'at least ' * (most > fewest)}{fewest}; linear layers: {linear}, asked "
            f"{'at least ' * (most_linear > fewest_linear)}{fewest_linear}",
            de=f"Faltungen: {convolutions}, gefragt {'mindestens ' * (most > fewest)}{fewest}; lineare Schichten: {linear}, gefragt "
            f"{'mindestens ' * (most_linear > fewest_linear)}{fewest_linear}",
        )
    return None


def _simplest(own: Own, path: Any) -> str | None:
    from wiesel.runs import trained

    run = _finished(own, path)
    count = sum(parameter.numel() for parameter in trained.load(run).network.parameters())
    accuracy = accuracy_of(run)
    if count >= 20_000:
        return say(
            en=f"{grouped(count)} parameters are not fewer than 20 000",
            de=f"{grouped(count)} Parameter sind nicht weniger als 20 000",
        )
    if accuracy < 0.8:
        return say(en=f"{number(100 * accuracy, 1)} % is less than 80 %", de=f"{number(100 * accuracy, 1)} % ist weniger als 80 %")
    return None


def _parallel(kind: Any) -> str | None:
    torch.manual_seed(0)
    network = kind()
    seen: list[Tensor] = []  # kept, because memory that is free again would be taken for the same input
    hooks = [
        layer.register_forward_hook(lambda _layer, inputs, _output: seen.append(inputs[0]))
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    with torch.no_grad():
        shape = tuple(network(torch.randn(2, 1, 28, 28)).shape)
    for hook in hooks:
        hook.remove()
    if shape != (2, 10):
        return say(en=f"makes {shape} of (2, 1, 28, 28), not (2, 10)", de=f"macht {shape} aus (2, 1, 28, 28), nicht (2, 10)")
    if len(seen) == len({one.data_ptr() for one in seen}):
        return say(en="no two convolutions see the same input", de="keine zwei Faltungen sehen dieselbe Eingabe")
    return None


def _answering(kind: Any) -> str | None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(9, 4))
    pictures = torch.randn(5, 1, 3, 3)
    onehot, label = kind(network)(pictures)
    right = network(pictures).argmax(1)
    if label.is_floating_point() or tuple(label.shape) != (5,) or not torch.equal(label.long(), right):
        return say(
            en="the second output is not the integer of the class, shape (B,)",
            de="die zweite Ausgabe ist nicht die ganze Zahl der Klasse, Form (B,)",
        )
    if tuple(onehot.shape) != (5, 4) or not torch.equal(onehot.long(), nn.functional.one_hot(right, 4)):
        return say(
            en="the first output is not the one-hot vector, shape (B, K)",
            de="die erste Ausgabe ist nicht der One-Hot-Vektor, Form (B, K)",
        )
    return None
