"""Pictures -> tensors: preprocessing (fixed, travels with the model), augmentation (training only), loading."""

from wiesel.batches.loading import Batch, EvaluationBatches, TrainingBatches
from wiesel.batches.preprocessing import Preprocessing, measure

__all__ = ["Batch", "EvaluationBatches", "Preprocessing", "TrainingBatches", "measure"]
