#!/usr/bin/env python3
"""Makes the sample of Fashion-MNIST that the package carries, or checks that the one in place is what this makes.

    python scripts/make_sample.py            # writes src/wiesel/images/sample/
    python scripts/make_sample.py --check    # exit code 1 if that folder differs

Per class, 1,000 of the 6,000 training and 200 of the 1,000 test pictures, drawn with a fixed seed from those that have no exact
twin anywhere in the 70,000, kept in their original order. Needs the original, for example Debian's `dataset-fashion-mnist`.
"""

from __future__ import annotations

import argparse
import lzma
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from wiesel.images import arrays  # noqa: E402
from wiesel.images.dataset import DataSet, digests  # noqa: E402
from wiesel.images.sources import load_named  # noqa: E402

FOLDER = ROOT / "src" / "wiesel" / "images" / "sample"
PER_CLASS = {"train": 1_000, "test": 200}
PREFIX = {"train": "train", "test": "t10k"}
SEED = 20170825  # the day on which Fashion-MNIST appeared

LICENCE = """\
The pictures in this folder are a sample of Fashion-MNIST (https://github.com/zalandoresearch/fashion-mnist), under this licence:

The MIT License (MIT)

Copyright 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files
(the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge,
publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do
so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE
FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def choose(whole: DataSet) -> dict[str, NDArray[np.int64]]:
    """Per split, the chosen positions in the original, ascending."""
    contents = {split: digests(images.pixels) for split, images in whole.splits.items()}
    seen = Counter(content for of_split in contents.values() for content in of_split)
    rng = np.random.default_rng(SEED)
    chosen = {}
    for split, count in PER_CLASS.items():
        single = np.array([seen[content] == 1 for content in contents[split]])
        labels = whole.splits[split].labels
        drawn = [rng.permutation(np.flatnonzero(single & (labels == c)))[:count] for c in range(len(whole.classes))]
        chosen[split] = np.sort(np.concatenate(drawn))
    return chosen


def make() -> dict[str, bytes]:
    """The folder's files, by name."""
    whole = load_named("fashion-mnist")
    files = {"LICENSE.fashion-mnist": LICENCE.encode()}
    for split, rows in choose(whole).items():
        images = whole.splits[split].take(rows)
        for kind, array in (("images-idx3", images.pixels[..., 0]), ("labels-idx1", images.labels.astype(np.uint8))):
            packed = lzma.compress(arrays.write_idx(array), lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, preset=9)
            files[f"{PREFIX[split]}-{kind}-ubyte.xz"] = packed
    return files


def differences(files: dict[str, bytes]) -> list[str]:
    """What is not as it should be. Another version of liblzma may pack otherwise: then the content decides."""
    found = []
    for name, data in files.items():
        path = FOLDER / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.read_bytes() != data and (path.suffix != ".xz" or lzma.decompress(path.read_bytes()) != lzma.decompress(data)):
            found.append(f"{name} differs")
    return found + [f"{path.name} does not belong there" for path in FOLDER.iterdir() if path.name not in files]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    files = make()
    if parser.parse_args().check:
        problems = differences(files)
        print("\n".join(problems) or f"{FOLDER} is what this script makes")
        return 1 if problems else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        print(f"{len(data):>9,} bytes  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
