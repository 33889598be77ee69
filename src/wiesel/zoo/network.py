"""The shape that all networks of the zoo share: `head(features(pictures))`."""

from __future__ import annotations

from torch import Tensor, nn

from wiesel.errors import PictureTooSmall


class Network(nn.Module):
    """Pictures (B, C, H, W) to logits (B, K).

    `features` turns pictures into maps (B, Cout, h, w); its children are the named stages (`stem`, `stage1`, ...). `head` turns
    maps into logits; its children are named too. Every activation and pooling is a module and nothing works in place, so whoever
    records the output of a layer sees exactly what that layer computed.

    `smallest` is the smallest (H, W) that still leaves one position in the last map.
    """

    def __init__(self, features: nn.Sequential, head: nn.Sequential, smallest: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.features = features
        self.head = head
        self.smallest = smallest

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits.

        Raises:
            PictureTooSmall: below `smallest`; names it.
        """
        height, width = pictures.shape[-2], pictures.shape[-1]
        # While a tracer or an exporter looks on, sizes are symbols; deciding about them would nail the graph to one size.
        if isinstance(height, int) and isinstance(width, int):
            self.refuse_smaller(height, width)
        logits: Tensor = self.head(self.features(pictures))
        return logits

    def refuse_smaller(self, height: int, width: int) -> None:
        """Raise PictureTooSmall for pictures below `smallest`."""
        needed_height, needed_width = self.smallest
        if height < needed_height or width < needed_width:
            raise PictureTooSmall(height=height, width=width, needed_height=needed_height, needed_width=needed_width)
