"""What is inside a network: recorded outputs, costs, stages, the flow of gradients. Works on any `nn.Module`, whoever built it."""

from __future__ import annotations

from wiesel.analysis.cost import Cost, LayerCost, cost
from wiesel.analysis.drawing import draw, draw_autograd, graph_of
from wiesel.analysis.gradient_flow import GradientFlow, gradient_flow
from wiesel.analysis.recording import Recording, evaluating, recording
from wiesel.analysis.stages import Block, Stage, stages

__all__ = [
    "Block",
    "Cost",
    "GradientFlow",
    "LayerCost",
    "Recording",
    "Stage",
    "cost",
    "draw",
    "draw_autograd",
    "evaluating",
    "gradient_flow",
    "graph_of",
    "recording",
    "stages",
]
