"""wiesel: from a folder of images to a convolutional network that you trained, understand, and can hand to somebody else.

    import wiesel

    result = wiesel.train(model="resnet18", data="fashion-mnist-sample")
    wiesel.predict(result.run, ["picture.png"])
    wiesel.Classifier(model="resnet20", epochs=3).fit(X, y).predict(X)

Every command of the command line is one of these functions. Importing this package loads none of the heavy libraries; the functions
do when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wiesel.images import fetch, load
    from wiesel.jobs.bench import bench
    from wiesel.jobs.classifier import Classifier
    from wiesel.jobs.compare import compare
    from wiesel.jobs.doctor import doctor
    from wiesel.jobs.evaluate import evaluate, report
    from wiesel.jobs.explain import explain
    from wiesel.jobs.inspect import inspect
    from wiesel.jobs.ood import ood
    from wiesel.jobs.predict import predict
    from wiesel.jobs.train import train
    from wiesel.runs.folder import RunFolder as Run
    from wiesel.zoo import build, models

__all__ = [
    "Classifier",
    "Run",
    "bench",
    "build",
    "compare",
    "doctor",
    "evaluate",
    "explain",
    "fetch",
    "inspect",
    "load",
    "models",
    "ood",
    "predict",
    "report",
    "train",
]

_WHERE = {
    "Classifier": "wiesel.jobs.classifier:Classifier",
    "Run": "wiesel.runs.folder:RunFolder",
    "bench": "wiesel.jobs.bench:bench",
    "build": "wiesel.zoo:build",
    "compare": "wiesel.jobs.compare:compare",
    "doctor": "wiesel.jobs.doctor:doctor",
    "evaluate": "wiesel.jobs.evaluate:evaluate",
    "explain": "wiesel.jobs.explain:explain",
    "fetch": "wiesel.images:fetch",
    "inspect": "wiesel.jobs.inspect:inspect",
    "load": "wiesel.images:load",
    "models": "wiesel.zoo:models",
    "ood": "wiesel.jobs.ood:ood",
    "predict": "wiesel.jobs.predict:predict",
    "report": "wiesel.jobs.evaluate:report",
    "train": "wiesel.jobs.train:train",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        import importlib.metadata

        return importlib.metadata.version("wiesel")
    if name in _WHERE:
        import importlib

        module, attribute = _WHERE[name].split(":")
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'wiesel' has no attribute {name!r}")
