"""What is averaged, seen with a network whose answer is a pixel."""

import pytest
import torch
from torch import nn

from wiesel.batches.views import Views


class Pixel(nn.Module):
    """The logit is the value at row 1, column 1."""

    def forward(self, pictures):
        return pictures[:, :, 1, 1]


PICTURE = torch.arange(16.0).reshape(1, 1, 4, 4)  # rows 0-3, 4-7, 8-11, 12-15; at (1, 1) stands 5, mirrored 6


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, 5.0),
        (2, 5.5),
        # Moved up and left, (1, 1) shows what stood at (2, 2): 10, or mirrored 9, which is also what the reflected mirror image shows
        # at (2, 2); moved down and right what stood at (0, 0): 0, or mirrored 3.
        (6, 0.5 * 5.5 + 0.25 * (10 + 9) / 2 + 0.25 * (0 + 3) / 2),
    ],
)
def test_the_views_are_those_of_the_drawing(number, expected):
    assert Views(Pixel(), number)(PICTURE).item() == pytest.approx(expected)


def test_at_the_border_the_picture_is_reflected():
    class Corner(nn.Module):
        def forward(self, pictures):
            return pictures[:, :, 0, 0]

    # Moved down and right, the corner shows the reflection about row 0 and column 0: what stands at (1, 1).
    assert Views(Corner(), 6)(PICTURE).item() == pytest.approx(0.5 * 1.5 + 0.25 * (5 + 6) / 2 + 0.25 * (5 + 6) / 2)
