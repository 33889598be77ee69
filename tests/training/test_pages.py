"""Memory stays with the process while it trains."""

import ctypes
import resource
import sys

import pytest
import torch

from wiesel.training.pages import kept_pages

TENSORS = 10
PAGES = 10_000
"""Of one tensor: 40 MB, more than glibc keeps by itself."""


def page_faults() -> int:
    """While `TENSORS` of `PAGES` pages each are made and let go of in turn."""
    torch.zeros(PAGES * 4096, dtype=torch.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(TENSORS):
        torch.ones(PAGES * 4096, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc gives pages back")
def test_freed_memory_is_used_again_and_given_back_at_the_end() -> None:
    if resource.getpagesize() != 4096:
        pytest.skip("counted for pages of 4,096 bytes")
    assert page_faults() > TENSORS * PAGES / 2
    with kept_pages():
        assert page_faults() <= 2 * PAGES  # the first one may lie elsewhere
    assert page_faults() > TENSORS * PAGES / 2
