"""Is B better than A?  Plan -> outcomes of runs -> one of five words, with its interval. NumPy and SciPy only: no network is loaded here.
The runs are made by `wiesel train` in processes of their own, see `wiesel.comparison.campaign` and `wiesel.jobs.compare`.

`judge` speaks about two or more designs, each trained several times and tested on the same pictures:

>>> import numpy as np
>>> from wiesel.comparison import Outcomes, Rules, arm, judge, sentence
>>> chance = np.random.default_rng(0)
>>> easy = arm("plain", chance.random((3, 500)) < 0.70, seconds=[60, 61, 62])
>>> hard = arm("residual", chance.random((3, 500)) < 0.90, seconds=[60, 61, 62])
>>> found = judge(Outcomes((easy, hard), labels=np.zeros(500, np.int64), classes=("all",)), Rules())
>>> sentence(found, reader="en").split(":")[0]
'residual is clearly better'
"""

from wiesel.comparison.difference import Difference, difference
from wiesel.comparison.document import document
from wiesel.comparison.judgement import Finding, Judgement, judge
from wiesel.comparison.outcomes import Arm, Outcomes, SplitOutcomes, arm, split_arm
from wiesel.comparison.plan import Plan, PlannedArm, fingerprint, from_toml, read, recipe_of, to_toml
from wiesel.comparison.rules import Rules
from wiesel.comparison.sentences import sentence, small_print

__all__ = [
    "Arm",
    "Difference",
    "Finding",
    "Judgement",
    "Outcomes",
    "Plan",
    "PlannedArm",
    "Rules",
    "SplitOutcomes",
    "arm",
    "difference",
    "document",
    "fingerprint",
    "from_toml",
    "judge",
    "read",
    "recipe_of",
    "sentence",
    "small_print",
    "split_arm",
    "to_toml",
]
