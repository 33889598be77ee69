"""A learner's plain block, and two runs that show what the shortcuts did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional

from wiesel.language import number, say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.checks.run_folder import accuracy_of, opened, without_shortcuts


def check(own: Own) -> Iterator[Result]:
    yield own.part(
        "PlainBlock",
        "PlainBlock",
        _plain,
        say(en="the same layers, without the shortcut.", de="dieselben Schichten, ohne die Abkürzung."),
    )
    with_, without = own.get("residual_run"), own.get("plain_run")
    yield own.part("runs", "plain_run", lambda _: _runs(own, with_, without), _told(own, with_, without))
    yield own.text("explanation", "explanation")


def _plain(kind: Any) -> str | None:
    torch.manual_seed(0)
    block, pictures = kind(4), torch.randn(2, 4, 6, 6)
    expected = functional.relu(block.bn2(block.conv2(functional.relu(block.bn1(block.conv1(pictures))))))
    given = block(pictures)
    if given.shape != expected.shape:
        return say(
            en=f"gives the shape {tuple(given.shape)}, not {tuple(expected.shape)}",
            de=f"gibt die Form {tuple(given.shape)}, nicht {tuple(expected.shape)}",
        )
    if not torch.allclose(given, expected, atol=1e-5):
        still = torch.allclose(
            given, functional.relu(block.bn2(block.conv2(functional.relu(block.bn1(block.conv1(pictures))))) + pictures), atol=1e-5
        )
        return (
            say(en="the shortcut is still there", de="die Abkürzung ist noch da")
            if still
            else say(
                en="gives other numbers than conv, bn, ReLU, conv, bn, ReLU",
                de="gibt andere Zahlen als conv, bn, ReLU, conv, bn, ReLU",
            )
        )
    return None


def _runs(own: Own, with_: Any, without: Any) -> str | None:
    if with_ is None:
        return say(en="`residual_run` is missing", de="`residual_run` fehlt")
    residual, plain = opened(own, with_), opened(own, without)
    if residual.read_splits()["fingerprint"] != plain.read_splits()["fingerprint"]:
        return say(en="the two runs saw different pictures", de="die zwei Läufe sahen verschiedene Bilder")
    if without_shortcuts(residual) or not without_shortcuts(plain):
        return say(
            en="`residual_run` should have shortcuts, `plain_run` none",
            de="`residual_run` sollte Abkürzungen haben, `plain_run` keine",
        )
    return None


def _told(own: Own, with_: Any, without: Any) -> str:
    try:
        numbers = f"{number(100 * accuracy_of(opened(own, with_)), 1)} % / {number(100 * accuracy_of(opened(own, without)), 1)} %"
    except Exception:  # said by the check itself
        numbers = ""
    return say(
        en=f"with and without: {numbers}. One run each is no verdict; `wiesel compare` gives one.",
        de=f"mit und ohne: {numbers}. Je ein Lauf ist kein Urteil; `wiesel compare` gibt eines.",
    )
