"""What is inside a network: recorded outputs, costs, stages. Works on any `nn.Module`, whoever built it."""

from __future__ import annotations

from wiesel.analysis.cost import Cost, LayerCost, cost
from wiesel.analysis.drawing import draw, draw_autograd, graph_of
from wiesel.analysis.recording import Recording, evaluating, recording
from wiesel.analysis.stages import Block, Stage, stages

__all__ = [
    "Block",
    "Cost",
    "LayerCost",
    "Recording",
    "Stage",
    "cost",
    "draw",
    "draw_autograd",
    "evaluating",
    "graph_of",
    "recording",
    "stages",
]
