"""Keras, with torch as its backend, on small grey pictures; a process of its own, in an environment that has Keras.

    python benchmarks/peer_keras.py PICTURES.npz [--steps 40]       each line on stdin starts a round, whose rate is printed as JSON
    python benchmarks/peer_keras.py PICTURES.npz --epochs 15        a whole training, its seconds and accuracy as JSON

The recipe is the first vision example of keras.io, "Simple MNIST convnet": two 3x3 convolutions (32 and 64 maps) with ReLU and pooling, dropout 0.5,
one dense layer; Adam, batches of 128, 15 epochs, a tenth kept for validation; no augmentation, all pictures in memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers
from peer_arguments import arguments

BATCH = 128


def network_for(shape: tuple[int, ...]) -> Any:
    network = keras.Sequential(
        [
            keras.Input(shape=shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return network


def main() -> None:
    wanted = arguments(__doc__)
    answers, sys.stdout = sys.stdout, sys.stderr
    with np.load(wanted.pictures, allow_pickle=False) as saved:
        arrays = dict(saved)
    keras.utils.set_random_seed(wanted.seed)
    pixels = (arrays["pixels"].astype("float32") / 255)[..., None]
    labels = keras.utils.to_categorical(arrays["labels"], 10)
    network = network_for(pixels.shape[1:])
    facts = {"keras": keras.__version__, "torch": torch.__version__, "threads": torch.get_num_threads()}
    if wanted.epochs:
        start = time.perf_counter()
        network.fit(pixels, labels, batch_size=BATCH, epochs=wanted.epochs, validation_split=0.1, verbose=0)
        seconds = time.perf_counter() - start
        test = (arrays["test_pixels"].astype("float32") / 255)[..., None]
        found = network.predict(test, batch_size=500, verbose=0).argmax(1)
        accuracy = float((found == arrays["test_labels"]).mean())
        print(json.dumps({"seconds": seconds, "accuracy": accuracy, "epochs": wanted.epochs, "versions": facts}), file=answers)
        return
    print(json.dumps({"ready": facts}), file=answers, flush=True)
    count = BATCH * wanted.steps
    for _ in sys.stdin:
        start = time.perf_counter()
        network.fit(pixels[:count], labels[:count], batch_size=BATCH, epochs=1, verbose=0)
        seconds = time.perf_counter() - start
        print(json.dumps({"pictures": len(pixels[:count]), "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
