"""Data sets by name: what they are, where they lie on this machine, and where they come from otherwise.

Looked for, in this order: `data_dir`, `$WIESEL_DATA`, the user's cache, `/usr/share/datasets` (Debian's package of Fashion-MNIST).
What is found is used only if its content has the sha256 of the table; what is nowhere is fetched, unless `WIESEL_OFFLINE` is set.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadArrayFile, DigitsMissing, NotFetched, UnknownData, nearest
from wiesel.images import arrays
from wiesel.images.cache import cache_folder
from wiesel.images.dataset import EMBEDDED, DataSet, Reason, from_splits, images_of
from wiesel.images.fetching import DownloadFailed, Progress, download, matches
from wiesel.language import say

SYSTEM_FOLDER = Path("/usr/share/datasets")


@dataclass(frozen=True)
class File:
    """A file to download. `content` is the sha256 of what it unpacks to, so that a copy packed otherwise is recognised."""

    name: str
    size: int
    sha256: str
    content: str = ""


@dataclass(frozen=True)
class Source:
    """One row of the table."""

    name: str
    title: Reason
    classes: tuple[str, ...]
    format: Literal["idx", "cifar10", "cifar100", "digits"]
    shape: tuple[int, int, int]
    """(C, H, W)"""
    pictures: tuple[int, int]
    """Training, test; 0 where there is no such split."""
    files: tuple[File, ...]
    mirrors: tuple[str, ...]
    """Addresses to which a file's name is appended, in the order in which they are tried."""
    folders: tuple[str, ...]
    """Where the files may lie below a data folder."""
    licence: str
    citation: str
    note: Reason
    """What a person should know before trusting a number measured on it."""
    mirrored: bool = False
    """Whether a picture seen in a mirror is still one of its class: clothes are, digits are not."""
    shift: int = 1
    """Pixels by which preset `fast` moves its pictures where it has many. 0 where each object was cut out and scaled to fill its picture:
    the edge that moves in is then not what a test picture shows."""


_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_TEN = tuple("0123456789")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# fmt: off
_CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster",
    "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter",
    "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon",
    "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)
# fmt: on

_XIAO = "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, 2017, arXiv:1708.07747"
_KRIZHEVSKY = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, University of Toronto, 2009"
_NO_LICENCE = "none stated; the author asks to be cited"

SOURCES: tuple[Source, ...] = (
    Source(
        name="fashion-mnist-sample",
        title=Reason(
            "Fashion-MNIST, a balanced sample that comes with the package",
            "Fashion-MNIST, ein ausgewogener Auszug, der mit dem Paket kommt",
        ),
        classes=_FASHION,
        format="idx",
        shape=(1, 28, 28),
        pictures=(10_000, 2_000),
        files=(),
        mirrors=(),
        folders=(),
        licence="MIT, Copyright 2017 Zalando SE",
        citation=_XIAO,
        note=Reason(
            "A sixth of the training set and a fifth of the test set, drawn per class with a seed, without exact twins: accuracies "
            "are lower than on the whole and have wider intervals.",
            "Ein Sechstel der Trainings- und ein Fünftel der Testbilder, je Klasse mit einer Startzahl gezogen, ohne exakte "
            "Zwillinge: Die Genauigkeiten sind tiefer als auf dem Ganzen und haben breitere Intervalle.",
        ),
        mirrored=True,
    ),
    Source(
        name="fashion-mnist",
        title=Reason("Fashion-MNIST: Zalando's articles in grey", "Fashion-MNIST: Artikel von Zalando in Grau"),
        classes=_FASHION,
        format="idx",
        shape=(1, 28, 28),
        pictures=(60_000, 10_000),
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        folders=("fashion-mnist", "FashionMNIST/raw"),
        licence="MIT, Copyright 2017 Zalando SE",
        citation=_XIAO,
        note=Reason(
            "No two of the 70,000 pictures are equal (the very first release of August 2017 had some repeated ones). Some labels are "
            "wrong or a matter of taste: shirt, T-shirt, pullover, coat.",
            "Keine zwei der 70\u202f000 Bilder sind gleich (die allererste Fassung vom August 2017 hatte einige Wiederholungen). Manche "
            "Etiketten sind falsch oder Ansichtssache: Hemd, T-Shirt, Pullover, Mantel.",
        ),
        mirrored=True,
        shift=0,
    ),
    Source(
        name="mnist",
        title=Reason("MNIST: handwritten digits", "MNIST: handgeschriebene Ziffern"),
        classes=_TEN,
        format="idx",
        shape=(1, 28, 28),
        pictures=(60_000, 10_000),
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
        mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        folders=("mnist", "MNIST/raw"),
        licence="CC BY-SA 3.0, Copyright Yann LeCun and Corinna Cortes",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition, 1998",
        note=Reason(
            "Nearly solved: good networks differ by a few of the 10,000 test pictures, less than their luck.",
            "Fast gelöst: Gute Netze unterscheiden sich um wenige der 10\u202f000 Testbilder, weniger als der Zufall ausmacht.",
        ),
    ),
    Source(
        name="cifar10",
        title=Reason("CIFAR-10: small photographs of ten things", "CIFAR-10: kleine Fotos von zehn Dingen"),
        classes=_CIFAR10,
        format="cifar10",
        shape=(3, 32, 32),
        pictures=(50_000, 10_000),
        files=(File("cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),),
        mirrors=("https://www.cs.toronto.edu/~kriz/", "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"),
        folders=("cifar10", "cifar-10", "cifar-10-batches-bin"),
        licence=_NO_LICENCE,
        citation=_KRIZHEVSKY,
        note=Reason(
            "3.3 % of the test pictures have a near-duplicate in the training set (Barz, Denzler 2020, arXiv:1902.00423).",
            "3,3 % der Testbilder haben ein fast gleiches Bild im Training (Barz, Denzler 2020, arXiv:1902.00423).",
        ),
        mirrored=True,
        shift=2,
    ),
    Source(
        name="cifar100",
        title=Reason("CIFAR-100: small photographs of a hundred things", "CIFAR-100: kleine Fotos von hundert Dingen"),
        classes=_CIFAR100,
        format="cifar100",
        shape=(3, 32, 32),
        pictures=(50_000, 10_000),
        files=(File("cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),),
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
        folders=("cifar100", "cifar-100", "cifar-100-binary"),
        licence=_NO_LICENCE,
        citation=_KRIZHEVSKY,
        note=Reason(
            "10 % of the test pictures have a near-duplicate in the training set (Barz, Denzler 2020, arXiv:1902.00423).",
            "10 % der Testbilder haben ein fast gleiches Bild im Training (Barz, Denzler 2020, arXiv:1902.00423).",
        ),
        mirrored=True,
        shift=2,
    ),
    Source(
        name="digits",
        title=Reason(
            "Optical recognition of handwritten digits, 8x8 (the test part of the UCI set, as scikit-learn ships it)",
            "Optische Erkennung handgeschriebener Ziffern, 8x8 (der Testteil des UCI-Satzes, wie ihn scikit-learn mitbringt)",
        ),
        classes=_TEN,
        format="digits",
        shape=(1, 8, 8),
        pictures=(1_797, 0),
        files=(File("digits.csv.gz", 57_523, "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"),),
        mirrors=(),
        folders=("digits",),
        licence="CC BY 4.0",
        citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998",
        note=Reason(
            "No test split of its own: one is drawn. The same writers are then on both sides.",
            "Ohne eigene Testbilder: Es werden welche gezogen. Dieselben Schreibenden sind dann auf beiden Seiten.",
        ),
    ),
)


@dataclass(frozen=True)
class Listed:
    """A row of `wiesel data list`. `found`: where it lies now; `None` if it would be fetched (`download` bytes)."""

    source: Source
    found: str | None
    download: int

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def title(self) -> str:
        return str(self.source.title)

    def to_json(self) -> dict[str, Any]:
        about = self.source
        return {
            "name": about.name,
            "title": about.title.en,
            "classes": len(about.classes),
            "shape": list(about.shape),
            "train": about.pictures[0],
            "test": about.pictures[1],
            "licence": about.licence,
            "citation": about.citation,
            "note": about.note.en,
            "found": self.found,
            "download": self.download,
        }


def named(*, data_dir: Path | str | None = None) -> list[Listed]:
    """Every named data set, and where on this machine it is found now (by name and presence; the content is checked at loading)."""
    rows = []
    for source in SOURCES:
        place = next(_places(source, data_dir), None)
        found = EMBEDDED if not source.files else str(place) if place else None
        rows.append(Listed(source, found, 0 if found else sum(file.size for file in source.files)))
    return rows


def look_up(name: str) -> Source:
    """The row with this name.

    Raises:
        UnknownData: names the nearest.
    """
    for source in SOURCES:
        if source.name == name:
            return source
    raise UnknownData(name=name, nearest=nearest(name, [source.name for source in SOURCES]))


def may_be_mirrored(name: str) -> bool:
    """Whether training on `name` may mirror pictures unasked; of somebody's folder that is not known, so no."""
    return any(source.mirrored for source in SOURCES if source.name == name)


def shift_of(name: str) -> int:
    """Pixels by which preset `fast` moves many pictures of `name` unasked; of somebody's folder 1."""
    return next((source.shift for source in SOURCES if source.name == name), 1)


def load_named(name: str, *, data_dir: Path | str | None = None) -> DataSet:
    """A named data set at its own size; fetched if it is nowhere.

    Raises:
        UnknownData: no such name.
        NotFetched: nowhere, and no mirror could be reached or gave the right bytes.
    """
    source = look_up(name)
    if not source.files:
        folder = importlib.resources.files("wiesel.images") / "sample"
        parts = [arrays.read_idx(Path(file), (folder / f"{file}.xz").read_bytes()) for file in _IDX_FILES]
        return _from_idx(source, parts, Path("sample"), EMBEDDED)
    damaged: BadArrayFile | None = None
    for place in _places(source, data_dir):
        try:
            return _read(source, place)
        except BadArrayFile as error:
            damaged = damaged or error
    if source.format == "digits":
        raise damaged or DigitsMissing()
    try:
        return _read(source, fetch(name, data_dir=data_dir))
    except NotFetched as absent:
        raise (damaged or absent) from None


def fetch(name: str, *, data_dir: Path | str | None = None, progress: Progress | None = None) -> Path:
    """Download a named data set, if it is not there already, into `data_dir`, else `$WIESEL_DATA`, else the user's cache.

    Returns:
        The folder with its files (of "digits" and the embedded sample: where they lie).

    Raises:
        UnknownData: no such name.
        NotFetched: says which mirror failed why, and where the files may be put by hand.
    """
    source = look_up(name)
    if not source.files:
        return Path(str(importlib.resources.files("wiesel.images") / "sample"))
    if source.format == "digits":
        place = next(_places(source, data_dir), None)
        if place is None:
            raise DigitsMissing()
        return place.parent
    folder = next(iter(_bases(data_dir))) / source.folders[0]
    for file in source.files:
        target = folder / file.name
        try:
            if target.is_file() and matches(target, size=file.size, sha256=file.sha256):
                continue
            if os.environ.get("WIESEL_OFFLINE"):
                raise DownloadFailed(say(en="WIESEL_OFFLINE is set", de="WIESEL_OFFLINE ist gesetzt"))
            addresses = [mirror + file.name for mirror in source.mirrors]
            download(addresses, target, size=file.size, sha256=file.sha256, progress=progress)
        except (DownloadFailed, OSError) as error:
            wanted = ", ".join(file.name for file in source.files)
            raise NotFetched(name=name, why=str(error), files=wanted, folder=folder) from error
    return folder


# --- where things lie --------------------------------------------------------------------------------------------------------

_IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _bases(data_dir: Path | str | None) -> Iterator[Path]:
    if data_dir is not None:
        yield Path(data_dir)
    if given := os.environ.get("WIESEL_DATA"):
        yield Path(given)
    yield cache_folder() / "data"
    yield SYSTEM_FOLDER


def _places(source: Source, data_dir: Path | str | None) -> Iterator[Path]:
    """Folders (or files) that look like this source, best first."""
    for base in _bases(data_dir) if source.files else ():
        for folder in (*(base / name for name in source.folders), base):
            if source.format == "idx":
                found = [_packed(folder, file.name) for file in source.files]
                # MNIST and Fashion-MNIST name their files alike, so in a common folder the labels must tell whose they are.
                if all(found) and (folder != base or _is_content(found[1], source.files[1])):
                    yield folder
            else:
                if (folder / source.files[0].name).is_file():
                    yield folder / source.files[0].name
                for inner in (folder, folder / source.folders[-1]):
                    if (inner / {"cifar10": "data_batch_1.bin", "cifar100": "train.bin"}.get(source.format, "-")).is_file():
                        yield inner
    if source.format == "digits":
        installed = importlib.util.find_spec("sklearn")  # finds, does not import
        for base in map(Path, (installed and installed.submodule_search_locations) or ()):
            if (table := base / "datasets" / "data" / "digits.csv.gz").is_file():
                yield table


def _packed(folder: Path, name: str) -> Path | None:
    bare = name.removesuffix(".gz")
    return next((path for path in (folder / name, folder / bare, folder / f"{bare}.xz") if path.is_file()), None)


def _is_content(path: Path | None, file: File) -> bool:
    try:
        return path is not None and hashlib.sha256(arrays.unpacked(path.read_bytes()).read(2**20)).hexdigest() == file.content
    except (OSError, EOFError):
        return False


def _read(source: Source, place: Path) -> DataSet:
    if source.format == "idx":
        parts = []
        for file in source.files:
            path = _packed(place, file.name)
            assert path is not None
            parts.append(arrays.read_idx(path))
            if hashlib.sha256(arrays.write_idx(parts[-1])).hexdigest() != file.content:
                raise _other_content(source, path)
        return _from_idx(source, parts, place, str(place))
    if source.format == "digits":
        if not matches(place, size=source.files[0].size, sha256=source.files[0].sha256):
            raise _other_content(source, place)
        return from_splits(
            source.name, source.classes, {"train": images_of(*arrays.read_digits(place), "train")}, source=str(place)
        )
    if place.is_file() and not matches(place, size=source.files[0].size, sha256=source.files[0].sha256):
        raise _other_content(source, place)
    read = arrays.read_cifar10 if source.format == "cifar10" else arrays.read_cifar100
    classes, splits = read(place)
    return from_splits(source.name, classes, {split: images_of(*pair, split) for split, pair in splits.items()}, source=str(place))


def _from_idx(source: Source, parts: list[NDArray[np.uint8]], place: Path, where: str) -> DataSet:
    count = len(source.classes)
    train = arrays.idx_pair(parts[0], parts[1], count, place / _IDX_FILES[0])
    test = arrays.idx_pair(parts[2], parts[3], count, place / _IDX_FILES[2])
    splits = {"train": images_of(*train, "train"), "test": images_of(*test, "test")}
    return from_splits(source.name, source.classes, splits, source=where)


def _other_content(source: Source, path: Path) -> BadArrayFile:
    en, de = f"its sha256 is not that of {source.name}", f"ihr sha256 ist nicht der von {source.name}"
    return BadArrayFile(path=path, reason=Reason(en, de))
