"""Comparisons of networks (room `comparison`)."""

from __future__ import annotations

from wiesel.errors.tree import MissingError, PicturesError, RunError, UsageError


class TooFewRuns(UsageError):
    """`name` of the arm, `have`, `needed`."""

    en = "{name!r} has {have} {have:run|runs}; {needed} of each arm are needed before anything can be said. Train it with more seeds."
    de = "{name!r} hat {have} {have:Lauf|Läufe}; bevor sich etwas sagen lässt, braucht es {needed} je Arm. Trainiere mit weiteren Startzahlen."


class OtherTestPictures(UsageError):
    """`name` of the arm, `have` and `expected` numbers of test pictures."""

    en = (
        "{name!r} answered other test pictures than the runs before it ({have} against {expected}): arms can only be compared on the same ones. "
        "Evaluate it on the others' test set."
    )
    de = (
        "{name!r} hat andere Testbilder beantwortet als die Läufe vorher ({have} gegen {expected}): vergleichbar sind Arme nur auf denselben. "
        "Werte ihn auf dem Testsatz der anderen aus."
    )


class OtherRuns(UsageError):
    """Runs on other divisions: `name`, `baseline`."""

    en = (
        "{name!r} and {baseline!r} ran on different divisions of the pictures and cannot be paired. Train both with the same seeds."
    )
    de = (
        "{name!r} und {baseline!r} liefen auf verschiedenen Aufteilungen der Bilder und lassen sich nicht paaren. "
        "Trainiere beide mit denselben Startzahlen."
    )


class OtherPlan(UsageError):
    """`folder`: of a comparison with another plan, whose runs have begun."""

    en = (
        "{folder} holds another plan, whose runs have begun; nothing was changed. Give this one a folder of its own with --output. To "
        "change that plan, edit {folder}/plan.toml and run `wiesel compare --output {folder}`; its verdict is exploratory only then."
    )
    de = (
        "In {folder} liegt ein anderer Plan, dessen Läufe begonnen haben; nichts wurde geändert. Gib diesem mit --output einen eigenen "
        "Ordner. Um jenen Plan zu ändern, ändere {folder}/plan.toml und ruf `wiesel compare --output {folder}` auf; sein Urteil ist "
        "dann nur noch erkundend."
    )


class OtherPicturesThanPlanned(PicturesError):
    """The pictures changed between two sittings of a comparison: `folder`, `then`, `now` (fingerprints)."""

    en = (
        "The pictures are no longer those with which {folder} began (fingerprint {then:.12}…, now {now:.12}…). "
        "Bring them back, or begin a new comparison with --output."
    )
    de = (
        "Die Bilder sind nicht mehr die, mit denen {folder} begann (Fingerabdruck {then:.12}…, jetzt {now:.12}…). "
        "Stelle sie wieder her, oder beginne mit --output einen neuen Vergleich."
    )


class CellsFailed(RunError):
    """`cells` (their names, joined), `count`, `log` (the log of the first), `said` (its last line), `command`."""

    en = (
        "{count} {count:run|runs} failed and {count:is|are} not replaced by others: {cells}. The last line of {log} is: {said}. "
        "When its cause is gone, go on with: {command}"
    )
    de = (
        "{count} {count:Lauf ist|Läufe sind} gescheitert und {count:wird|werden} nicht durch andere ersetzt: {cells}. "
        "Die letzte Zeile von {log} lautet: {said}. "
        "Ist die Ursache behoben, weiter mit: {command}"
    )


class RayMissing(MissingError):
    """`have`: what is there instead, as a clause."""

    en = "--ray needs Ray 2.54 or newer; {have}. `pip install 'wiesel[ray]'`"
    de = "--ray braucht Ray ab 2.54; {have}. `pip install 'wiesel[ray]'`"


class RayUnreachable(MissingError):
    """`address`, `reason`."""

    en = (
        "No Ray cluster can be used at {address}: {reason}. Start one with `ray start --head` and give HOST:PORT of that head node, "
        "or start the comparison on a node of the cluster, with the cluster's token (RAY_AUTH_MODE=token) if it has one. "
        "`--ray local` needs no cluster."
    )
    de = (
        "Bei {address} ist kein Ray-Cluster zu benutzen: {reason}. Starte einen mit `ray start --head` und gib HOST:PORT dieses "
        "Hauptknotens an, oder starte den Vergleich auf einem Knoten des Clusters, mit dessen Token (RAY_AUTH_MODE=token), falls er "
        "eines hat. `--ray local` braucht keinen Cluster."
    )


class RayNotFresh(UsageError):
    en = (
        "Ray was loaded into this process before it could be told to listen on 127.0.0.1 only. "
        "Start the comparison in a process of its own: `wiesel compare ... --ray local`"
    )
    de = (
        "Ray wurde in diesen Prozess geladen, bevor ihm gesagt war, nur auf 127.0.0.1 zu hören. "
        "Starte den Vergleich in einem eigenen Prozess: `wiesel compare ... --ray local`"
    )


class NoPlan(UsageError):
    """`name`, `nearest` (from `nearest`), `known` (names of the plans that come with wiesel)."""

    en = "There is no plan {name!r}.{nearest} Give a file (TOML), or one of these: {known}."
    de = "Einen Plan {name!r} gibt es nicht.{nearest} Gib eine Datei (TOML) an oder einen von diesen: {known}."


class NoComparison(RunError):
    """`path`, `nearest` (from `nearest`)."""

    en = "{path} holds no comparison.json.{nearest} Start or continue a comparison with `wiesel compare`."
    de = "{path} enthält keine comparison.json.{nearest} Beginne oder beende einen Vergleich mit `wiesel compare`."
