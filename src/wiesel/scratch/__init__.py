"""Convolution and pooling by hand, forward and backward, for reading and for learning: no ready-made convolution is called.

geometry.py    how large the output is
windows.py     all windows of a picture as a view, and its adjoint
loops.py       the definition, one output number at a time
im2col.py      all windows, then one matrix product
fft.py         a product of spectra
winograd.py    3x3 with 16 multiplications where the definition takes 36
pooling.py     maximum and mean of every window
modules.py     layers that take the place of torch's
error.py       how far each algorithm is from the exact result
"""

from wiesel.scratch.modules import AvgPool2d, Conv2d, MaxPool2d, SimpleConv2d, SimpleMaxPool2d

__all__ = ["AvgPool2d", "Conv2d", "MaxPool2d", "SimpleConv2d", "SimpleMaxPool2d"]
