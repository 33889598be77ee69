"""`head=blocks`: the last layer sees mean and deviation of each map of every block, not only the means of the last maps.

Early blocks know about colours, edges and textures what the last one, made for other classes, has thrown away. So a linear head on a
pretrained network gets better, above all where pictures are unlike those that the network was made with; its own layers stay as they are.

Source: Evci, Dumoulin, Larochelle, Mozer 2022, arXiv:2201.03529 (Head2Toe), with all features instead of a selection, and deviations.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from wiesel.zoo.network import Network
from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import draw, replace
from wiesel.zoo.surgery.work import Work

TINY = 1e-6
"""Added to variances, so that the root has a slope where a map is the same everywhere."""


class EveryBlock(nn.Sequential):
    """Stages in a row, as before. Pictures (B, C, H, W) to (B, 2 sum of channels, 1, 1): of each block in turn, and of the maps that leave
    the last stage, the mean of each map and then its deviation."""

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for _, layer, is_kept in steps(self):
            x = layer(x)
            if is_kept:
                variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
                seen += [mean, (variance + TINY).sqrt()]
        return torch.cat(seen, dim=1)


def steps(stages: nn.Sequential) -> Iterator[tuple[str, nn.Module, bool]]:
    """Name and layer, in the order in which they are to be called, and whether the head sees what the layer gives."""
    *_, last = stages
    for stage_name, stage in stages.named_children():
        layers = list(stage.named_children())
        if not isinstance(stage, nn.Sequential) or not any(name.startswith("block") for name, _ in layers):
            yield stage_name, stage, stage is last
            continue
        for name, layer in layers:
            yield f"{stage_name}.{name}", layer, name.startswith("block") or (stage is last and layer is layers[-1][1])


def apply(work: Work) -> None:
    """Give the network such features, and a last layer for them with new weights."""
    work.refuse_a_part()
    network = work.network
    if not isinstance(network, Network) or [name for name, _ in network.head.named_children() if name != "dropout"] != [
        "pool",
        "flatten",
        "linear",
    ]:
        raise work.refusal(
            en="its head is not one linear layer on the means of maps",
            de="sein Kopf ist nicht eine lineare Schicht auf den Mittelwerten von Karten",
        )
    if isinstance(network.features, EveryBlock):
        raise work.refusal(en="it sees every block already", de="er sieht schon jeden Block")
    kept = [name for name, _, is_kept in steps(network.features) if is_kept]
    outputs = [call.output for name in kept if (call := work.seen.of(f"features.{name}")) is not None]
    shapes = [shape for output in outputs if (shape := maps(output)) is not None]
    if type(network.features) is not nn.Sequential or len(kept) < 2 or len(shapes) != len(kept):
        raise work.refusal(en="it has no blocks that follow one another", de="es hat keine Blöcke, die aufeinander folgen")
    linear = network.head.get_submodule("linear")
    assert isinstance(linear, nn.Linear)
    features = EveryBlock()
    for name, stage in network.features.named_children():
        features.add_module(name, stage)
    network.features = features.train(network.training)
    width = 2 * sum(channels for channels, _, _ in shapes)
    replace(network, "head.linear", nn.Linear(width, linear.out_features, bias=linear.bias is not None))
    draw(network, "head.linear")
    work.layers.append("head.linear")
