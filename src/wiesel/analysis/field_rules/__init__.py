"""What each operation of a tape does to receptive fields.

A rule takes the arrangements of the inputs and gives those of the outputs. Fields are those of positions: channels are not told
apart, weights are taken to be anything but zero, and masks of attention are taken to let everything through. An operation without
a rule makes everything after it unknown, unless all that goes into it sees the whole picture already.
"""

from __future__ import annotations

from wiesel.analysis.field_rules import joins, pointwise, products, views, windows
from wiesel.analysis.field_rules.arrangement import Arrangement, everything, nothing_known
from wiesel.analysis.field_rules.rule import NoRule, Rule, Shape
from wiesel.analysis.tape import Operation


def after(operation: Operation, inputs: list[Arrangement], shapes: list[Shape]) -> list[Arrangement]:
    """The arrangements of the outputs, whose shapes are given."""
    unknown = next((state for state in inputs if state.unknown), None)
    if unknown is not None:
        return [nothing_known(shape, unknown, "") for shape in shapes]
    if all(state.is_whole for state in inputs):
        return [everything(shape, inputs[0]) for shape in shapes]
    try:
        found = RULES[operation.name](inputs, operation, shapes)
        if len(found) != len(shapes):
            raise NoRule
    except (NoRule, KeyError):
        return [nothing_known(shape, inputs[0], operation.name) for shape in shapes]
    return [
        state if state.shape == shape else nothing_known(shape, state, operation.name)
        for state, shape in zip(found, shapes, strict=True)
    ]


RULES: dict[str, Rule] = {
    name: rule
    for rule, names in {
        pointwise.pointwise: """
            relu relu6 gelu silu sigmoid tanh hardswish hardsigmoid hardtanh leaky_relu elu selu celu mish softplus softsign prelu
            rrelu logsigmoid threshold tanhshrink softshrink hardshrink dropout dropout1d dropout2d dropout3d alpha_dropout
            feature_alpha_dropout add sub mul div pow neg abs sqrt rsqrt square exp log log1p expm1 sin cos clamp clamp_min
            clamp_max sign reciprocal floor ceil round floordiv remainder fmod erf where masked_fill lerp addcmul addcdiv maximum
            minimum contiguous to float half bfloat16 double type type_as clone detach data alias cpu local_response_norm
            channel_shuffle native_channel_shuffle nan_to_num logical_not logical_and logical_or eq ne gt ge lt le isnan isfinite
            bernoulli copy expand_as
        """,
        pointwise.normalise: "batch_norm group_norm instance_norm",
        pointwise.layer_norm: "layer_norm rms_norm",
        pointwise.along: "softmax log_softmax softmin normalize cumsum",
        pointwise.reduce: """
            mean sum prod amax amin max min argmax argmin all any logsumexp std var var_mean std_mean norm median
        """,
        windows.slide: """
            conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d max_pool2d max_pool3d
            avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d
        """,
        windows.adapt: """
            adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
        """,
        windows.interpolate: "interpolate upsample",
        windows.pad: "pad",
        windows.shuffle: "pixel_shuffle",
        windows.unshuffle: "pixel_unshuffle",
        windows.unfold: "unfold",
        windows.fold: "fold",
        views.reshape: "flatten view reshape unflatten squeeze unsqueeze reshape_as view_as ravel",
        views.permute: "permute transpose moveaxis T t mT mH adjoint",
        views.expand: "expand",
        views.repeat: "repeat tile",
        views.pieces: "chunk split split_with_sizes tensor_split unbind narrow select",
        views.index: "getitem",
        views.assign: "setitem",
        views.turn: "roll flip",
        joins.concatenate: "cat",
        joins.stack: "stack",
        products.linear: "linear",
        products.product: "matmul bmm mm",
        products.einsum: "einsum",
        products.attention: "scaled_dot_product_attention",
        products.multi_head: "multi_head_attention_forward",
    }.items()
    for name in names.split()
}
