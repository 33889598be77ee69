"""The help of the commands in German: each line of their docstrings, translated. A test holds that none is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wiesel.language import language

Command = TypeVar("Command", bound=Callable[..., Any])


def spoken(command: Command) -> Command:
    """The command with its help in the reader's language."""
    if language() == "de" and command.__doc__:
        command.__doc__ = "\n".join(_line(line) for line in command.__doc__.splitlines())
    return command


def _line(line: str) -> str:
    words = line.strip()
    return line[: len(line) - len(line.lstrip())] + GERMAN.get(words, words)


GERMAN = {
    # train
    "Train a network on pictures, measure it once on the test split, write its report.": "Ein Netz mit Bildern trainieren, es einmal auf dem Testteil messen, den Bericht schreiben.",
    "Without any flag: ResNet-18 on the embedded sample of Fashion-MNIST.": "Ohne Angaben: ResNet-18 auf dem mitgelieferten Auszug von Fashion-MNIST.",
    "A recipe file (TOML) to start from; flags change it.": "Eine Rezeptdatei (TOML) als Ausgangspunkt; Angaben ändern sie.",
    "Name of the network; `wiesel models` lists them.": "Name des Netzes; `wiesel models` zeigt alle.",
    "A named data set (`wiesel data list`), a folder `DIR/class/*`, `DIR/{train,val,test}/class/*`, or a .zip of either.": "Ein benannter Datensatz (`wiesel data list`), ein Ordner `DIR/klasse/*`, `DIR/{train,val,test}/klasse/*` oder ein .zip davon.",
    "How often each training picture is seen.": "Wie oft jedes Trainingsbild gezeigt wird.",
    "Number that decides initial weights, order and augmentation.": "Zahl, die Anfangsgewichte, Reihenfolge und zufällige Änderungen bestimmt.",
    "The run folder to make; default `runs/<data>-<model>-<n>`.": "Der Ordner für den Lauf; sonst `runs/<Daten>-<Netz>-<n>`.",
    "Go on with this run folder where it was interrupted.": "Diesen Lauf dort fortsetzen, wo er unterbrochen wurde.",
    "Print the result as JSON.": "Das Ergebnis als JSON ausgeben.",
    "No progress.": "Keine Fortschrittsanzeige.",
    "Language of the report.": "Sprache des Berichts.",
    "Where named data sets are looked for first.": "Wo benannte Datensätze zuerst gesucht werden.",
    "Side in pixels to which pictures are brought.": "Seitenlänge in Pixeln, auf die Bilder gebracht werden.",
    "1: grey, 3: colour.": "1: grau, 3: farbig.",
    "How a picture that is not square becomes square.": "Wie ein Bild quadratisch wird, das es nicht ist.",
    "Share (below 1) or number of training pictures kept for choosing.": "Anteil (unter 1) oder Anzahl der Trainingsbilder, nach denen ausgewählt wird.",
    "The same for the last look, where the source has no test split.": "Dasselbe für die letzte Prüfung, wo die Quelle keinen Testteil hat.",
    "Number that decides the division.": "Zahl, die die Aufteilung bestimmt.",
    "Share of unreadable pictures from which on training refuses to start.": "Anteil unlesbarer Bilder, ab dem das Training nicht beginnt.",
    "Mirror pictures at random; default: only for named sets of things that look the same in a mirror.": "Bilder zufällig spiegeln; sonst nur bei benannten Datensätzen, deren Dinge im Spiegel dieselben bleiben.",
    "Move pictures at random by up to so many pixels.": "Bilder zufällig um bis zu so viele Pixel verschieben.",
    "Pictures per step.": "Bilder je Schritt.",
    "Peak learning rate.": "Höchste Lernrate.",
    "sgd (Nesterov), adamw, or muon (orthogonalised momentum for filters, AdamW for the rest).": "sgd (Nesterov), adamw oder muon (Impuls mit gleich langen Richtungen für Filter, AdamW für den Rest).",
    "With muon: peak rate of AdamW for everything that is not a filter.": "Mit muon: höchste Lernrate von AdamW für alles, was kein Filter ist.",
    "With --flip: mirror one half of the pictures in one epoch and the other half in the next, instead of at random.": "Mit --flip: in einer Epoche die eine Hälfte der Bilder spiegeln und in der nächsten die andere, statt zufällig.",
    "standard: what suits most networks; fast: our own small network and its recipe, the most accuracy per second;": "standard: was den meisten Netzen passt; fast: unser eigenes kleines Netz mit seinem Rezept, am meisten Genauigkeit je Sekunde;",
    "few: ResNet-18 to 152 on fewer than 20,000 pictures, their default unless you choose an optimiser, a rate and its course, or a batch size.": "few: ResNet-18 bis 152 mit weniger als 20.000 Bildern, dort die Vorgabe, wenn du nicht Optimierer, Rate und deren Verlauf oder Stapelgrösse wählst.",
    "How the rate changes.": "Wie sich die Lernrate ändert.",
    "Share of the steps during which the rate rises.": "Anteil der Schritte, in denen die Lernrate steigt.",
    "Momentum (sgd), or the first beta (adamw).": "Impuls (sgd) oder das erste Beta (adamw).",
    "Weight decay, not on norms and biases.": "Gewichtsabnahme, nicht auf Normen und Verschiebungen.",
    "Share of the target spread over all classes.": "Anteil des Ziels, der auf alle Klassen verteilt wird.",
    "balanced: rare classes weigh more.": "balanced: seltene Klassen zählen mehr.",
    "Decay of the moving average of the weights; 0: none.": "Abklingen des gleitenden Mittels der Gewichte; 0: keines.",
    "Stop after so many epochs without gain; 0: never.": "Nach so vielen Epochen ohne Gewinn aufhören; 0: nie.",
    "First layers of a ResNet: small (3x3, for small pictures) or imagenet (7x7 and pooling).": "Erste Schichten eines ResNet: small (3x3, für kleine Bilder) oder imagenet (7x7 und Pooling).",
    "bf16, fp32, or auto: the faster one here.": "bf16, fp32 oder auto: was hier schneller ist.",
    "Processor threads of each process; 0: all that may be used, divided among the processes.": "Threads des Prozessors für jeden Prozess; 0: alle, die genutzt werden dürfen, auf die Prozesse verteilt.",
    "Train with so many processes on this machine; each takes an equal share of every batch.": "Mit so vielen Prozessen auf diesem Rechner trainieren; jeder nimmt einen gleichen Teil jedes Stapels.",
    "Steps between checkpoints within an epoch; 0: one per epoch.": "Schritte zwischen Speicherpunkten innerhalb einer Epoche; 0: einer je Epoche.",
    "Begin with weights from elsewhere: alone, the published ones; or torchvision, timm, timm:NAME, a .safetensors file, a run folder.": "Mit Gewichten von anderswo beginnen: ohne Wert die veröffentlichten; oder torchvision, timm, timm:NAME, eine .safetensors-Datei, der Ordner eines Laufs.",
    "probe: fit only a linear head to the network's features (default); finetune: the network learns on.": "probe: nur einen linearen Kopf an die Merkmale des Netzes anpassen (Vorgabe); finetune: das Netz lernt weiter.",
    "Fine-tuning: begin with the head of the weights, which must know the same classes.": "Feinabstimmung: mit dem Kopf der Gewichte beginnen, der dieselben Klassen kennen muss.",
    "Fine-tuning with other classes: begin with the head of a probe, or with a fresh one.": "Feinabstimmung mit anderen Klassen: mit dem Kopf einer Probe beginnen oder mit einem frischen.",
    "Fine-tuning: so many stages from the picture on, or `until:LAYER`, stay as they are.": "Feinabstimmung: so viele Stufen vom Bild an, oder `until:SCHICHT`, bleiben, wie sie sind.",
    "Fine-tuning: begin with the head alone and let one more stage learn after every so many epochs.": "Feinabstimmung: mit dem Kopf allein beginnen und nach je so vielen Epochen eine Stufe mehr lernen lassen.",
    "Fine-tuning: the rate of a stage is that of the next one times this; 1: the same for all.": "Feinabstimmung: die Lernrate einer Stufe ist die der nächsten mal diese Zahl; 1: für alle dieselbe.",
    "Fine-tuning: keep the running statistics of the batch norms (default), or learn new ones.": "Feinabstimmung: die laufenden Statistiken der Batch-Normen behalten (Vorgabe) oder neue lernen.",
    "Use only so many training pictures per class; those for validation are taken out of them.": "Nur so viele Trainingsbilder je Klasse verwenden; die zur Validierung kommen aus ihnen.",
    "Side in pixels to which batches are enlarged before the network sees them.": "Seitenlänge in Pixeln, auf die Stapel vergrössert werden, bevor das Netz sie sieht.",
    # evaluate, report, predict, models, doctor
    "Measure a finished run; for the test split, write its report anew.": "Einen fertigen Lauf messen; beim Testteil auch den Bericht neu schreiben.",
    "Predictions are made once per split and kept in the run folder; each look at the test split is recorded there.": "Vorhersagen werden je Teil einmal gemacht und im Lauf aufbewahrt; jeder Blick auf den Testteil wird dort vermerkt.",
    "The run folder.": "Der Ordner des Laufs.",
    "Which pictures.": "Welche Bilder.",
    "Write a run's report as one HTML file that needs no network.": "Den Bericht eines Laufs als eine HTML-Datei schreiben, die kein Netzwerk braucht.",
    "Where to; default `report.html` in the run folder.": "Wohin; sonst `report.html` im Ordner des Laufs.",
    "Language of the report; both: switchable in the page.": "Sprache des Berichts; both: in der Seite umschaltbar.",
    "Classify picture files with a trained run.": "Bilddateien mit einem trainierten Lauf klassifizieren.",
    "A picture file; more may follow.": "Eine Bilddatei; weitere dürfen folgen.",
    "Print class, probability, integer and one-hot of each as JSON.": "Klasse, Wahrscheinlichkeit, Zahl und One-Hot-Vektor von jedem als JSON ausgeben.",
    "List the networks with parameters and multiply-adds.": "Die Netze mit Parametern und Multiplikationen auflisten.",
    "Part of a name, or a pattern such as `resnet*`; `timm:resnet*` and `torchvision:` list other libraries' networks.": "Teil eines Namens oder ein Muster wie `resnet*`; `timm:resnet*` und `torchvision:` zeigen die Netze anderer Bibliotheken.",
    "List the published ImageNet weights instead, and whether they are here.": "Stattdessen die veröffentlichten ImageNet-Gewichte auflisten, und ob sie hier sind.",
    "Print as JSON.": "Als JSON ausgeben.",
    "Say what this machine has and can do: versions, processor, precision, data sets.": "Sagen, was dieser Rechner hat und kann: Versionen, Prozessor, Genauigkeit, Datensätze.",
    # bench
    "Measure how fast this machine trains, ours beside plain PyTorch; less than a minute.": "Messen, wie schnell dieser Rechner trainiert, unser Weg neben einfachem PyTorch; unter einer Minute.",
    "How often each way has its turn; the middle figure counts.": "Wie oft jeder Weg an die Reihe kommt; die mittlere Zahl gilt.",
    # data
    "List the named data sets and where each was found.": "Die benannten Datensätze auflisten, und wo sie gefunden wurden.",
    "Where to look first.": "Wo zuerst gesucht wird.",
    "Download a named data set and verify it.": "Einen benannten Datensatz herunterladen und prüfen.",
    "Its name; `wiesel data list` shows them.": "Sein Name; `wiesel data list` zeigt alle.",
    "Where to put it; default the user's cache.": "Wohin; sonst in den Cache.",
    "Describe a data set: counts, sizes, duplicates, licence.": "Einen Datensatz beschreiben: Anzahlen, Grössen, Doppelgänger, Lizenz.",
    "A named data set, a folder or a .zip file.": "Ein benannter Datensatz, ein Ordner oder eine .zip-Datei.",
    "Look for unreadable files, copies, leaks between splits, contradictory and doubtful labels. Exit code 3 if there are problems.": "Unlesbare Dateien, Kopien, undichte Teile, widersprüchliche und zweifelhafte Etiketten suchen. Rückgabewert 3, wenn es Probleme gibt.",
    "Nothing is changed or deleted.": "Nichts wird geändert oder gelöscht.",
    "A page (.html) with the pictures side by side; the list for machines is written beside it (.json).": "Eine Seite (.html) mit den Bildern nebeneinander; die Liste für Maschinen wird daneben geschrieben (.json).",
    "Without near duplicates and doubtful labels.": "Ohne fast gleiche Bilder und zweifelhafte Etiketten.",
    "Language of the page.": "Sprache der Seite.",
    "A folder, a .zip file or a named data set.": "Ein Ordner, eine .zip-Datei oder ein benannter Datensatz.",
    "Stochastic depth: how probably the last residual block keeps its correction in training; 1: always.": "Zufällige Tiefe: wie wahrscheinlich der letzte Residualblock im Training seine Korrektur behält; 1: immer.",
    "Train with the early heads that some papers add (GoogLeNet, Inception).": "Mit den frühen Köpfen trainieren, die manche Arbeiten hinzufügen (GoogLeNet, Inception).",
    # explain
    "Show where a picture speaks for the predicted class and for another one.": "Zeigen, wo ein Bild für die vorhergesagte Klasse spricht und wo für eine andere.",
    "gradcam, gradcam++, layercam, hirescam, occlusion, integrated_gradients, smoothgrad or saliency; may be given several times.": "gradcam, gradcam++, layercam, hirescam, occlusion, integrated_gradients, smoothgrad oder saliency; auch mehrmals.",
    "The layer that the CAM methods look at; default: the last that puts out a map.": "Die Schicht, die die CAM-Methoden ansehen; sonst die letzte, die eine Karte ausgibt.",
    "The class beside the predicted one; default: the name of the picture's folder, else the runner-up.": "Die Klasse neben der vorhergesagten; sonst der Name des Ordners des Bildes, sonst die zweitwahrscheinlichste.",
    "Also scramble the weights, and delete and insert pixels, to see how far the maps can be trusted.": "Auch die Gewichte verwürfeln sowie Pixel löschen und einfügen, um zu sehen, wie weit den Karten zu trauen ist.",
    "So many training pictures that are nearest in feature space, from the pictures of the run.": "So viele Trainingsbilder, die im Merkmalsraum am nächsten sind, aus den Bildern des Laufs.",
    "The drawing: a .html or .png file; default `explanation.html` in the current folder.": "Die Zeichnung: eine .html- oder .png-Datei; sonst `explanation.html` im aktuellen Ordner.",
    "Print the raw maps and everything about them as JSON; draw only if -o is given.": "Die rohen Karten und alles über sie als JSON ausgeben; zeichnen nur mit -o.",
    # head
    "Put another head on a finished run, one that knows what it does not know, and measure both.": "Einem fertigen Lauf einen anderen Kopf geben, der weiss, was er nicht weiss, und beide messen.",
    "The head is kept in `heads/` in the run folder; the run itself stays as it is.": "Der Kopf liegt unter `heads/` im Ordner des Laufs; der Lauf selbst bleibt, wie er ist.",
    "softmax, laplace (weights with their uncertainty), sngp (random features, one pass) or dkl (Gaussian processes; needs GPyTorch).": "softmax, laplace (Gewichte mit ihrer Unsicherheit), sngp (zufällige Merkmale, ein Durchgang) oder dkl (Gauss-Prozesse; braucht GPyTorch).",
    "Fit on so few training labels of each class instead of all.": "Nur auf so wenigen Trainingsetiketten je Klasse anpassen statt auf allen.",
    "Number that decides which labels, and every draw.": "Zahl, die bestimmt, welche Etiketten, und jede Ziehung.",
    "Pictures from elsewhere, a named data set, a folder or a .zip: how well does doubt tell them apart?": "Fremde Bilder, ein benannter Datensatz, ein Ordner oder ein .zip: wie gut erkennt der Zweifel sie?",
    "Measure on the test split too; the look is recorded.": "Auch auf dem Testteil messen; der Blick wird vermerkt.",
    # inspect
    "Show what a network is made of: its layers, sums, receptive fields and graph.": "Zeigen, woraus ein Netz besteht: Schichten, Summen, rezeptive Felder und Graph.",
    "Name of a network, a run folder, a recipe (.toml) or a file of weights (.safetensors).": "Name eines Netzes, Ordner eines Laufs, ein Rezept (.toml) oder eine Datei mit Gewichten (.safetensors).",
    "Size of the picture, channels x height x width: 1x28x28.": "Grösse des Bildes, Kanäle x Höhe x Breite: 1x28x28.",
    "Number of classes.": "Anzahl Klassen.",
    "A change to the network, such as `activation=sigmoid`; may be given several times.": "Eine Änderung am Netz, etwa `activation=sigmoid`; auch mehrmals.",
    "Print the calculation of this layer, step by step.": "Die Rechnung dieser Schicht ausgeben, Schritt für Schritt.",
    "chapter: the textbook's table of networks, counted again; parameters: its worked examples.": "chapter: die Tabelle der Netze aus dem Lehrtext, neu gezählt; parameters: seine Rechenbeispiele.",
    "Draw the network into this file.": "Das Netz in diese Datei zeichnen.",
    "The same for Graphviz.": "Dasselbe für Graphviz.",
    "The same for Mermaid.": "Dasselbe für Mermaid.",
    "What is drawn: blocks, all operations, or the graph of the gradients.": "Was gezeichnet wird: Blöcke, alle Operationen oder der Graph der Gradienten.",
    # compare
    "Train two or more networks several times each and say whether one is better, and how sure that is.": "Zwei oder mehr Netze je mehrmals trainieren und sagen, ob eines besser ist und wie sicher das ist.",
    "The same command again goes on where it was interrupted; a run that exists is not made again.": "Derselbe Befehl fährt fort, wo er unterbrochen wurde; ein Lauf, den es gibt, wird nicht noch einmal gemacht.",
    "Networks with their changes, such as `resnet18` and `resnet18:residual=off`; the first is the baseline.": "Netze mit ihren Änderungen, etwa `resnet18` und `resnet18:residual=off`; am ersten werden die anderen gemessen.",
    "The smallest difference worth caring about, as a share: 0.003 is 0.3 points. Default: 5 % of the baseline's errors.": "Der kleinste Unterschied, auf den es ankommt, als Anteil: 0.003 sind 0,3 Punkte. Sonst 5 % der Fehler des ersten Arms.",
    "A plan instead of networks and flags: a TOML file, or the name of one that comes with wiesel (`residual-depth`, ...).": "Ein Plan statt Netzen und Angaben: eine TOML-Datei oder der Name eines Plans, der mit wiesel kommt (`residual-depth`, ...).",
    "The plan's large form: all of the data, more runs.": "Die grosse Form des Plans: alle Daten, mehr Läufe.",
    "The comparison's folder; default `compare/<data>-<arms>`. Alone: go on with the plan in it.": "Der Ordner des Vergleichs; sonst `compare/<Daten>-<Arme>`. Allein: mit dem Plan darin fortfahren.",
    "Show the verdict of this folder and write its page anew; train nothing.": "Das Urteil dieses Ordners zeigen und seine Seite neu schreiben; nichts trainieren.",
    "Trainings at the same time, one thread each; 0: as many as there are processors.": "Trainings zur gleichen Zeit, je ein Thread; 0: so viele, wie es Prozessoren gibt.",
    "Trainings at the same time, one thread each; 0: as many as there are processors, here or in the cluster.": "Trainings zur gleichen Zeit, je ein Thread; 0: so viele, wie es Prozessoren gibt, hier oder im Cluster.",
    "Train on the Ray cluster at HOST:PORT, whose nodes share this file system; `local`: on one started here for this comparison.": "Auf dem Ray-Cluster bei HOST:PORT trainieren, dessen Knoten dieses Dateisystem teilen; `local`: auf einem, der für diesen Vergleich hier gestartet wird.",
    "Seconds after which a training that shows no sign of life is ended and tried again; 0: never.": "Sekunden ohne Lebenszeichen, nach denen ein Training beendet und neu versucht wird; 0: nie.",
    "Language of the page; both: switchable in the page.": "Sprache der Seite; both: in der Seite umschaltbar.",
    "Print the result as Markdown.": "Das Ergebnis als Markdown ausgeben.",
    # scale
    "Search how depth, width and picture size should grow together, and draw accuracy against multiply-adds.": "Suchen, wie Tiefe, Breite und Bildgrösse gemeinsam wachsen sollen, und die Genauigkeit gegen die Multiplikationen zeichnen.",
    "The same command again goes on where it was interrupted.": "Derselbe Befehl fährt fort, wo er unterbrochen wurde.",
    "What grows: a network with equally many blocks in each stage, with its changes.": "Was wächst: ein Netz mit gleich vielen Blöcken je Stufe, mit seinen Änderungen.",
    "Side of the first pictures in pixels.": "Seitenlänge der ersten Bilder in Pixeln.",
    "Epochs of each rung of the search; may be given several times.": "Epochen jeder Sprosse der Suche; auch mehrmals.",
    "How often the multiply-adds are doubled.": "Wie oft die Multiplikationen verdoppelt werden.",
    "Runs of each grown network.": "Läufe jedes gewachsenen Netzes.",
    "The folder for all of it.": "Der Ordner für alles.",
    "Tell also the accuracy when so many views of each picture are averaged: 2, it and its mirror image; 6, these moved as well.": "Auch die Genauigkeit nennen, wenn so viele Ansichten jedes Bildes gemittelt werden: 2, es und sein Spiegelbild; 6, diese auch verschoben.",
    "With --views: only for this share of the pictures, those that the network is least sure of. 0.25 costs a quarter of it.": "Mit --views: nur für diesen Anteil der Bilder, nämlich die, bei denen das Netz am unsichersten ist. 0.25 kostet ein Viertel davon.",
    # uncertainty
    "On the test split also: how sure the run may be, with temperature, sets of classes and selective accuracy.": "Auf dem Testteil auch: wie sicher sich der Lauf sein darf, mit Temperatur, Mengen von Klassen und selektiver Genauigkeit.",
    "Answer with a set of classes that contains the truth in so many percent of cases: 90.": "Mit einer Menge von Klassen antworten, die in so viel Prozent der Fälle die Wahrheit enthält: 90.",
    "Measure how well a run tells pictures from elsewhere from those of the kind it learned.": "Messen, wie gut ein Lauf Bilder von anderswo von solchen der gelernten Art unterscheidet.",
    "AUROC and FPR at 95 % TPR, with intervals, for several scores; with several runs also for their ensemble.": "AUROC und FPR bei 95 % TPR, mit Intervallen, für mehrere Masse; bei mehreren Läufen auch für ihr Ensemble.",
    "A run folder; more of the same data may follow, as an ensemble.": "Ein Ordner eines Laufs; weitere mit denselben Daten dürfen folgen, als Ensemble.",
    "Pictures from elsewhere: a named data set, a folder or a .zip. Its test split counts, if it has one.": "Bilder von anderswo: ein benannter Datensatz, ein Ordner oder ein .zip. Es zählt sein Testteil, wenn es einen hat.",
    "Pictures of the kind learned; default: the run's own test pictures.": "Bilder der gelernten Art; sonst die Testbilder des Laufs.",
    "So many pictures of each kind at most; 0: all.": "Höchstens so viele Bilder jeder Art; 0: alle.",
    # lesson
    "List the lessons and the exercises.": "Die Lektionen und die Aufgaben auflisten.",
    "Copy a lesson or an exercise into the current folder, to read, run and fill in.": "Eine Lektion oder Aufgabe in den aktuellen Ordner kopieren: zum Lesen, Ausführen und Ausfüllen.",
    "Its name, or the number of a lesson; `wiesel lesson list` shows them.": "Ihr Name oder die Nummer einer Lektion; `wiesel lesson list` zeigt alle.",
    "The file or the folder to copy to.": "Die Datei oder der Ordner, wohin kopiert wird.",
    "As a Jupyter notebook instead of a script.": "Als Jupyter-Notebook statt als Skript.",
    "The language of the copy; default the reader's.": "Die Sprache der Kopie; sonst die des Lesers.",
    "Check an exercise that you filled in. The file is executed, with your rights, like any program of yours.": "Eine ausgefüllte Aufgabe prüfen. Die Datei wird ausgeführt, mit deinen Rechten, wie jedes eigene Programm.",
    "Ends with exit code 3 if something is not right; what is still open does no harm.": "Endet mit Code 3, wenn etwas nicht stimmt; was noch offen ist, schadet nicht.",
    "Your copy of the exercise.": "Deine Kopie der Aufgabe.",
    "How long your code may take, together.": "Wie viele Sekunden dein Code zusammen brauchen darf.",
}
