"""Few pictures: the division into training and test set is itself the largest piece of luck, so it is drawn anew for every run.

Run j trains both arms on the training part of division j and tests both on its test part; d_j is the difference of their accuracies.
The d_j are not independent, because the training parts overlap, and their sample variance s² is too small for the variance of their
mean. Nadeau and Bengio's correction, for J divisions into n_training and n_test pictures:

    D = mean_j d_j      V = (1/J + n_test/n_training) s²      nu = J - 1

The second term does not become smaller with J: no number of divisions replaces pictures. What the interval speaks for includes the luck
of the division.

Source: Nadeau & Bengio 2003, Machine Learning 52(3), 239-281, section 3 (corrected resampled t-test).
"""

from __future__ import annotations

import numpy as np

from wiesel.comparison.difference import Difference, least_variance
from wiesel.comparison.outcomes import Arm
from wiesel.errors import OtherRuns, TooFewRuns

FEW = 2000
"""Pictures in all, below which a comparison draws its divisions anew."""


def difference_over_divisions(baseline: Arm, challenger: Arm, *, training_images: int, test_images: int) -> Difference:
    """Compare two arms that ran on the same divisions.

    Raises:
        TooFewRuns: fewer than two divisions.
        OtherRuns: the arms' seeds differ, so their divisions do.
    """
    if baseline.seeds != challenger.seeds:
        raise OtherRuns(name=challenger.name, baseline=baseline.name)
    count = len(baseline)
    if count < 2:
        raise TooFewRuns(name=baseline.name, have=count, needed=2)
    differences = challenger.accuracies - baseline.accuracies
    # As in `difference`: without any disagreement, nothing is known to be exactly equal.
    spread = max(float(np.var(differences, ddof=1)), least_variance(test_images))
    return Difference(
        value=float(differences.mean()),
        run_variances=(spread, 0.0),
        runs=(count, count),
        run_part=spread / count,
        fixed_part=spread * test_images / training_images,
        degrees=count - 1,
        by_division=True,
    )
