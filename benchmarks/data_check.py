"""Does the data doctor find what was hidden in a folder, and how long does it take for 60,000 pictures?

    python benchmarks/data_check.py [--cifar ../shared/data/cifar10-images.zip] [--skip-folder] [--skip-labels] [--skip-fashion] [--skip-planted]

1. 2,000 distinct pictures of CIFAR-10 (named by their own pixels), with 20 exact copies, 20 encoded again (JPEG, quality 60), 20 mirrored or
   cropped ones and 10 copies under another label: how many of each are found, and which pairs are reported beyond them.
2. The 300 wrong labels put into the sample of Fashion-MNIST: how many are among the suspicious ones, and among the first 300.
3. Fashion-MNIST as installed (70,000 pictures): seconds, and pairs by how alike they are.
4. The faults of its first release put back (43 pairs within training, 10 between training and test, byte by byte equal; which pictures is
   drawn at random), as an archive of 70,000 PNG files: how many are found, and seconds with reading them.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from wiesel import images
from wiesel.errors import MissingError
from wiesel.images.check import check
from wiesel.images.suspicious_labels import doubtful_labels

Made = dict[str, list[frozenset[str]]]


@dataclass
class Folder:
    path: Path
    made: Made = field(default_factory=lambda: {kind: [] for kind in ("exact", "encoded", "mirrored", "cropped", "conflict")})


def made_folder(path: Path, archive: Path, *, count: int = 2000, seed: int = 0) -> Folder:
    """The folder of the first part; distinct means that no two of the pictures taken have equal pixels."""
    rng = np.random.default_rng(seed)
    folder = Folder(path)
    with zipfile.ZipFile(archive) as source:
        every = sorted(name for name in source.namelist() if "/train/" in name and name.endswith(".jpg"))
        taken: dict[str, bytes] = {}
        seen: set[bytes] = set()
        for place in rng.permutation(len(every)):
            data = source.read(every[place])
            pixels = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
            if pixels not in seen:
                seen.add(pixels)
                taken["/".join(every[place].split("/")[-2:])] = data
            if len(taken) == count:
                break
    classes = sorted({name.split("/")[0] for name in taken})
    for name in classes:
        (path / name).mkdir(parents=True)
    for name, data in taken.items():
        (path / name).write_bytes(data)
    names = [list(taken)[i] for i in rng.permutation(count)]
    for number, name in enumerate(names[:70]):
        label, data = name.split("/")[0], taken[name]
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        if number < 20:
            kind, copy = "exact", f"{label}/copy{number}.jpg"
        elif number < 40:
            kind, copy = "encoded", f"{label}/again{number}.jpg"
            data = _jpeg(picture, 60)
        elif number < 60:
            mirrored, cropped = number % 3 != 1, number % 3 != 0
            kind, copy = "cropped" if cropped else "mirrored", f"{label}/changed{number}.jpg"
            if mirrored:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            if cropped:
                side = int(rng.integers(27, 31))
                y, x = (int(start) for start in rng.integers(0, 33 - side, 2))
                picture = picture.crop((x, y, x + side, y + side)).resize((32, 32), Image.Resampling.BILINEAR)
            data = _jpeg(picture, 90)
        else:
            other = classes[(classes.index(label) + 1 + number % (len(classes) - 1)) % len(classes)]
            kind, copy = "conflict", f"{other}/liar{number}.jpg"
        (path / copy).write_bytes(data)
        folder.made[kind].append(frozenset((name, copy)))
    return folder


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def folder_part(archive: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = made_folder(Path(scratch) / "made", archive)
        start = time.perf_counter()
        found = check(folder.path)
        seconds = time.perf_counter() - start
    equal = {frozenset(group) for group in found["duplicates"]}
    near = {frozenset(item["pictures"]) for item in found["near_duplicates"]}
    conflicts = {frozenset(group) for group in found["conflicts"]}
    print(f"2,000 pictures and 70 copies, {seconds:.1f} s")
    for kind, where in (("exact", equal), ("encoded", near), ("mirrored", near), ("cropped", near), ("conflict", conflicts)):
        print(f"  {kind:<9} {sum(pair in where for pair in folder.made[kind])} of {len(folder.made[kind])}")
    every = {pair for pairs in folder.made.values() for pair in pairs}
    beyond = sorted(sorted(pair) for pair in (equal | near) - every)
    print(f"  beyond    {len(beyond)} {beyond}")
    print(f"  limit     {found['near']}")


def labels_part() -> None:
    data = images.load("fashion-mnist-sample").train
    rng = np.random.default_rng(1)
    wrong = rng.choice(len(data), 300, replace=False)
    labels = data.labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, 300)) % 10
    start = time.perf_counter()
    found = doubtful_labels(data.pixels, labels, 10)
    assert found is not None
    seconds = time.perf_counter() - start
    hits = [doubt.row in set(wrong.tolist()) for doubt in found.doubts]
    print(
        f"300 of 10,000 labels changed, {seconds:.1f} s: {sum(hits)} among {len(hits)} suspicious ones, {sum(hits[:300])} among the first 300"
    )
    print(f"  the probe agrees with {100 * found.accuracy:.1f} % of the changed labels")


def fashion_part() -> None:
    start, used = time.perf_counter(), time.process_time()
    try:
        found = check("fashion-mnist")
    except MissingError as error:
        return print(f"Fashion-MNIST: {error}")
    print(f"Fashion-MNIST, 70,000 pictures: {time.perf_counter() - start:.1f} s, {time.process_time() - used:.1f} s of processor")
    print(
        f"  equal pictures: {len(found['duplicates'])}; limit {found['near']}; suspicious labels {len(found['suspicious_labels'])}"
    )
    for least in (0.9995, 0.999, 0.998, 0.997, 0.996, 0.995, 0):
        pairs = [item for item in found["near_duplicates"] if item["likeness"] >= least]
        kinds = Counter((item["how"], "-".join(sorted(name.split("/")[0] for name in item["pictures"]))) for item in pairs)
        print(f"  likeness >= {least}: {dict(kinds)}")


def planted_part(seed: int = 0) -> None:
    try:
        data = images.load("fashion-mnist")
    except MissingError as error:
        return print(f"Fashion-MNIST: {error}")
    assert data.test is not None
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(data.train), 2 * 43 + 10, replace=False)
    lines = rng.choice(len(data.test), 10, replace=False)
    pixels = {"train": data.train.pixels.copy(), "test": data.test.pixels.copy()}
    within = [(int(a), int(b)) for a, b in rows[:86].reshape(43, 2)]
    across = [(int(a), int(b)) for a, b in zip(rows[86:], lines, strict=True)]
    for a, b in within:
        pixels["train"][b] = pixels["train"][a]
    for a, b in across:
        pixels["test"][b] = pixels["train"][a]
    names: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "planted.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for split, labels in (("train", data.train.labels), ("test", data.test.labels)):
                names[split] = [f"{split}/{label}/{number:05d}.png" for number, label in enumerate(labels)]
                for name, picture in zip(names[split], pixels[split], strict=True):
                    with io.BytesIO() as buffer:
                        Image.fromarray(picture[:, :, 0]).save(buffer, "PNG")
                        file.writestr(name, buffer.getvalue())
        start, used = time.perf_counter(), time.process_time()
        found = check(archive)
        seconds, processor = time.perf_counter() - start, time.process_time() - used
    equal = {frozenset(group) for group in found["duplicates"]}
    inside = sum(frozenset((names["train"][a], names["train"][b])) in equal for a, b in within)
    between = sum(frozenset((names["train"][a], names["test"][b])) in equal for a, b in across)
    print(f"70,000 PNG files in an archive: {seconds:.1f} s, {processor:.1f} s of processor")
    print(f"  within training {inside} of 43, between training and test {between} of 10, beyond {len(equal) - inside - between}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cifar", type=Path, default=Path("../shared/data/cifar10-images.zip"))
    parser.add_argument("--skip-folder", action="store_true")
    parser.add_argument("--skip-labels", action="store_true")
    parser.add_argument("--skip-fashion", action="store_true")
    parser.add_argument("--skip-planted", action="store_true")
    chosen = parser.parse_args()
    if not chosen.skip_folder:
        folder_part(chosen.cifar)
    if not chosen.skip_labels:
        labels_part()
    if not chosen.skip_fashion:
        fashion_part()
    if not chosen.skip_planted:
        planted_part()


if __name__ == "__main__":
    main()
