"""How good is this run? Predictions -> measures, intervals, calibration. NumPy only: numbers in, numbers out."""

from wiesel.evaluation.calibration import Calibration, ReliabilityBin, calibration
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.result import Evaluation, evaluate_predictions

__all__ = [
    "Calibration",
    "Evaluation",
    "Interval",
    "Predictions",
    "ReliabilityBin",
    "calibration",
    "evaluate_predictions",
    "wilson",
]
