"""Pictures on disk -> arrays: decoding, folders, named data sets, splits, facts, checks. Imports no torch."""

from wiesel.images.arrays import data_set_of, from_arrays
from wiesel.images.dataset import DataSet, Images, LeftOut
from wiesel.images.loading import is_name, load
from wiesel.images.peeking import small_side
from wiesel.images.sources import fetch, may_be_mirrored, named, shift_of
from wiesel.images.splits import apply, divide
from wiesel.images.subset import subset

__all__ = [
    "DataSet",
    "Images",
    "LeftOut",
    "apply",
    "data_set_of",
    "divide",
    "fetch",
    "from_arrays",
    "is_name",
    "load",
    "may_be_mirrored",
    "named",
    "shift_of",
    "small_side",
    "subset",
]
