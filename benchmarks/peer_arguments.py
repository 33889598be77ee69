"""What a peer in an environment of its own is told on its command line; see `children.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch


def arguments(description: str | None) -> argparse.Namespace:
    """Read and, as far as threads go, obeyed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    wanted = parser.parse_args()
    if wanted.threads:
        torch.set_num_threads(wanted.threads)
    return wanted
