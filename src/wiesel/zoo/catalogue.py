"""The zoo as one table: a row for each network, and each number in it a claim that a test checks.

Loads no torch: a builder is a name, looked up when somebody builds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from wiesel.errors import UnknownModel, nearest


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One network of the zoo, as its paper has it."""

    name: str
    builder: str
    """"module:function"; it is called with `classes`, `channels`, `size` (H, W) and the knobs."""
    family: str
    year: int | None
    """Years, parameters and multiply-adds are None only for other libraries' networks, which are not counted before they are built."""
    paper: str
    """arXiv number or journal."""
    input: tuple[int, int, int]
    """(C, H, W) in pixels; what `parameters`, `macs` and `accuracy` are for."""
    classes: int
    parameters: int | None
    """Numbers in filters, matrices, scales, shifts and biases. Running means and variances of norms are not among them."""
    macs: int | None
    """Multiply-adds of convolutions and linear layers for one picture. Twice as many floating-point operations."""
    accuracy: float | None = None
    """Published top-1 accuracy in %, of one crop unless `source` says otherwise."""
    source: str = ""
    """Where `accuracy` was published."""
    knobs: tuple[str, ...] = ()
    """What else the builder can vary: `stem`, `zero_init_last_norm`, `survival`, `auxiliary`."""


def find(name: str) -> Architecture:
    """The row called `name`.

    Raises:
        UnknownModel: no such row; the message names the nearest.
    """
    for row in ARCHITECTURES:
        if row.name == name:
            return row
    names = [row.name for row in ARCHITECTURES]
    raise UnknownModel(name=name, nearest=nearest(name, names), count=len(names))


def models(pattern: str | None = None) -> list[Architecture]:
    """All rows, or those whose name matches: a glob if there is one of `*?[` in it, else a part of the name.

    >>> [row.name for row in models("vgg1?")]
    ['vgg11', 'vgg13', 'vgg16', 'vgg19']
    >>> [row.name for row in models("net3")]
    ['resnet34', 'resnet32']
    """
    if not pattern:
        return list(ARCHITECTURES)
    wanted = pattern.lower()
    is_glob = any(sign in wanted for sign in "*?[")
    return [row for row in ARCHITECTURES if (fnmatchcase(row.name, wanted) if is_glob else wanted in row.name)]


_ALEXNET = "NIPS 25 (2012)"
_CONVNEXT = "arXiv:2201.03545"
_DENSENET = "arXiv:1608.06993"
_EFFICIENTNET = "arXiv:1905.11946"
_GOOGLENET = "arXiv:1409.4842"
_MOBILENET_V3 = "arXiv:1905.02244"
_REGNET = "arXiv:2003.13678"
_INCEPTION_V4 = "arXiv:1602.07261"
_RESNET = "arXiv:1512.03385"
_SQUEEZENET = "arXiv:1602.07360"
_VGG = "arXiv:1409.1556"
_WIDE_RESNET = "arXiv:1605.07146"
_HE_CIFAR = "He et al. 2015, table 6, CIFAR-10"
_HE_PLAIN = "He et al. 2015, table 2, ImageNet, mean of 10 crops"
_BOOK = "textbook"
_KRIZHEVSKY = "Krizhevsky et al. 2012, table 2, ImageNet, validation, mean of 10 crops"
_LECUN = "LeCun et al. 1998, section III, MNIST, the network as in the paper"
_TIMM = "timm, results-imagenet.csv of commit aa4b585, ImageNet"
_TIMM_LITE = "timm, results-imagenet.csv of commit 0173a13, ImageNet"
_TORCHVISION = "torchvision 0.29.1, ImageNet, weights IMAGENET1K_V1"

# fmt: off
ARCHITECTURES: tuple[Architecture, ...] = (
    Architecture(name="lenet5", builder="wiesel.zoo.lenet:lenet5", family="LeNet", year=1998, paper="Proc. IEEE 86(11)",
                 input=(1, 32, 32), classes=10, parameters=61_706, macs=416_520,
                 accuracy=99.05, source=_LECUN),
    Architecture(name="alexnet2012", builder="wiesel.zoo.alexnet:alexnet2012", family="AlexNet", year=2012, paper=_ALEXNET,
                 input=(3, 227, 227), classes=1000, parameters=60_965_224, macs=724_406_816,
                 accuracy=59.3, source=_KRIZHEVSKY),
    Architecture(name="alexnet", builder="wiesel.zoo.alexnet:alexnet", family="AlexNet", year=2014, paper="arXiv:1404.5997",
                 input=(3, 224, 224), classes=1000, parameters=61_100_840, macs=714_188_480,
                 accuracy=56.522, source=_TORCHVISION),
    Architecture(name="googlenet", builder="wiesel.zoo.googlenet:googlenet", family="GoogLeNet", year=2014, paper=_GOOGLENET,
                 input=(3, 224, 224), classes=1000, parameters=6_624_904, macs=1_498_376_192,
                 accuracy=69.778, source=_TORCHVISION, knobs=("stem", "auxiliary")),
    Architecture(name="googlenet_5x5", builder="wiesel.zoo.googlenet:googlenet_5x5", family="GoogLeNet", year=2014, paper=_GOOGLENET,
                 input=(3, 224, 224), classes=1000, parameters=7_005_832, macs=1_582_671_872,
                 knobs=("stem", "auxiliary")),
    Architecture(name="vgg11", builder="wiesel.zoo.vgg:vgg11", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=132_863_336, macs=7_609_090_048,
                 accuracy=69.02, source=_TORCHVISION),
    Architecture(name="vgg13", builder="wiesel.zoo.vgg:vgg13", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=133_047_848, macs=11_308_466_176,
                 accuracy=69.928, source=_TORCHVISION),
    Architecture(name="vgg16", builder="wiesel.zoo.vgg:vgg16", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=138_357_544, macs=15_470_264_320,
                 accuracy=71.592, source=_TORCHVISION),
    Architecture(name="vgg19", builder="wiesel.zoo.vgg:vgg19", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=143_667_240, macs=19_632_062_464,
                 accuracy=72.376, source=_TORCHVISION),
    Architecture(name="vgg11_bn", builder="wiesel.zoo.vgg:vgg11_bn", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=132_868_840, macs=7_609_090_048,
                 accuracy=70.37, source=_TORCHVISION),
    Architecture(name="vgg13_bn", builder="wiesel.zoo.vgg:vgg13_bn", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=133_053_736, macs=11_308_466_176,
                 accuracy=71.586, source=_TORCHVISION),
    Architecture(name="vgg16_bn", builder="wiesel.zoo.vgg:vgg16_bn", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=138_365_992, macs=15_470_264_320,
                 accuracy=73.36, source=_TORCHVISION),
    Architecture(name="vgg19_bn", builder="wiesel.zoo.vgg:vgg19_bn", family="VGG", year=2014, paper=_VGG,
                 input=(3, 224, 224), classes=1000, parameters=143_678_248, macs=19_632_062_464,
                 accuracy=74.218, source=_TORCHVISION),
    Architecture(name="inception_v3", builder="wiesel.zoo.inception3:inception_v3", family="Inception", year=2015, paper="arXiv:1512.00567",
                 input=(3, 299, 299), classes=1000, parameters=23_834_568, macs=5_713_216_096,
                 accuracy=77.294, source=_TORCHVISION, knobs=("auxiliary",)),
    Architecture(name="resnet18", builder="wiesel.zoo.resnet:resnet18", family="ResNet", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=11_689_512, macs=1_814_073_344,
                 accuracy=69.758, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="resnet34", builder="wiesel.zoo.resnet:resnet34", family="ResNet", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=21_797_672, macs=3_663_761_408,
                 accuracy=73.314, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="resnet50", builder="wiesel.zoo.resnet:resnet50", family="ResNet", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=25_557_032, macs=4_089_184_256,
                 accuracy=76.13, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="resnet101", builder="wiesel.zoo.resnet:resnet101", family="ResNet", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=44_549_160, macs=7_801_405_440,
                 accuracy=77.374, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="resnet152", builder="wiesel.zoo.resnet:resnet152", family="ResNet", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=60_192_808, macs=11_513_626_624,
                 accuracy=78.312, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="plain18", builder="wiesel.zoo.resnet:plain18", family="plain", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=11_515_688, macs=1_794_805_760,
                 accuracy=72.06, source=_HE_PLAIN, knobs=("stem",)),
    Architecture(name="plain34", builder="wiesel.zoo.resnet:plain34", family="plain", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=21_623_848, macs=3_644_493_824,
                 accuracy=71.46, source=_HE_PLAIN, knobs=("stem",)),
    Architecture(name="plain50", builder="wiesel.zoo.resnet:plain50", family="plain", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=22_780_456, macs=3_729_522_688,
                 knobs=("stem",)),
    Architecture(name="plain101", builder="wiesel.zoo.resnet:plain101", family="plain", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=41_772_584, macs=7_441_743_872,
                 knobs=("stem",)),
    Architecture(name="plain152", builder="wiesel.zoo.resnet:plain152", family="plain", year=2015, paper=_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=57_416_232, macs=11_153_965_056,
                 knobs=("stem",)),
    Architecture(name="resnet20", builder="wiesel.zoo.resnet_cifar:resnet20", family="ResNet for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=269_722, macs=40_551_040,
                 accuracy=91.25, source=_HE_CIFAR, knobs=("zero_init_last_norm",)),
    Architecture(name="resnet32", builder="wiesel.zoo.resnet_cifar:resnet32", family="ResNet for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=464_154, macs=68_862_592,
                 accuracy=92.49, source=_HE_CIFAR, knobs=("zero_init_last_norm",)),
    Architecture(name="resnet44", builder="wiesel.zoo.resnet_cifar:resnet44", family="ResNet for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=658_586, macs=97_174_144,
                 accuracy=92.83, source=_HE_CIFAR, knobs=("zero_init_last_norm",)),
    Architecture(name="resnet56", builder="wiesel.zoo.resnet_cifar:resnet56", family="ResNet for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=853_018, macs=125_485_696,
                 accuracy=93.03, source=_HE_CIFAR, knobs=("zero_init_last_norm",)),
    Architecture(name="resnet110", builder="wiesel.zoo.resnet_cifar:resnet110", family="ResNet for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=1_727_962, macs=252_887_680,
                 accuracy=93.57, source=_HE_CIFAR + ", best of 5 runs", knobs=("zero_init_last_norm",)),
    Architecture(name="plain20", builder="wiesel.zoo.resnet_cifar:plain20", family="plain for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=269_722, macs=40_551_040),
    Architecture(name="plain32", builder="wiesel.zoo.resnet_cifar:plain32", family="plain for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=464_154, macs=68_862_592),
    Architecture(name="plain44", builder="wiesel.zoo.resnet_cifar:plain44", family="plain for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=658_586, macs=97_174_144),
    Architecture(name="plain56", builder="wiesel.zoo.resnet_cifar:plain56", family="plain for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=853_018, macs=125_485_696),
    Architecture(name="plain110", builder="wiesel.zoo.resnet_cifar:plain110", family="plain for CIFAR", year=2015, paper=_RESNET,
                 input=(3, 32, 32), classes=10, parameters=1_727_962, macs=252_887_680),
    Architecture(name="densenet121", builder="wiesel.zoo.densenet:densenet121", family="DenseNet", year=2016, paper=_DENSENET,
                 input=(3, 224, 224), classes=1000, parameters=7_978_856, macs=2_834_161_664,
                 accuracy=74.434, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="densenet169", builder="wiesel.zoo.densenet:densenet169", family="DenseNet", year=2016, paper=_DENSENET,
                 input=(3, 224, 224), classes=1000, parameters=14_149_480, macs=3_359_843_328,
                 accuracy=75.6, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="densenet_bc_100", builder="wiesel.zoo.densenet:densenet_bc_100", family="DenseNet", year=2016, paper=_DENSENET,
                 input=(3, 32, 32), classes=10, parameters=769_162, macs=287_929_692,
                 accuracy=95.49, source="Huang et al. 2016, table 2, CIFAR-10 with augmentation"),
    Architecture(name="inception_resnet_v2", builder="wiesel.zoo.inception4:inception_resnet_v2", family="Inception", year=2016,
                 paper=_INCEPTION_V4, input=(3, 299, 299), classes=1000, parameters=55_843_464, macs=13_155_794_016,
                 accuracy=80.434, source=_TIMM + ", inception_resnet_v2.tf_in1k"),
    Architecture(name="inception_v4", builder="wiesel.zoo.inception4:inception_v4", family="Inception", year=2016, paper=_INCEPTION_V4,
                 input=(3, 299, 299), classes=1000, parameters=42_679_816, macs=12_253_974_624,
                 accuracy=80.144, source=_TIMM + ", inception_v4.tf_in1k"),
    Architecture(name="resnext50_32x4d", builder="wiesel.zoo.resnext:resnext50_32x4d", family="ResNeXt", year=2016, paper="arXiv:1611.05431",
                 input=(3, 224, 224), classes=1000, parameters=25_028_904, macs=4_230_479_872,
                 accuracy=77.618, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="squeezenet1_0", builder="wiesel.zoo.squeezenet:squeezenet1_0", family="SqueezeNet", year=2016, paper=_SQUEEZENET,
                 input=(3, 224, 224), classes=1000, parameters=1_248_424, macs=818_924_576,
                 accuracy=58.092, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="squeezenet1_1", builder="wiesel.zoo.squeezenet:squeezenet1_1", family="SqueezeNet", year=2016, paper=_SQUEEZENET,
                 input=(3, 224, 224), classes=1000, parameters=1_235_496, macs=349_151_936,
                 accuracy=58.178, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="wide_resnet50_2", builder="wiesel.zoo.wide_resnet:wide_resnet50_2", family="wide ResNet", year=2016, paper=_WIDE_RESNET,
                 input=(3, 224, 224), classes=1000, parameters=68_883_240, macs=11_398_021_120,
                 accuracy=78.468, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="wrn_16_4", builder="wiesel.zoo.wide_resnet:wrn_16_4", family="wide ResNet", year=2016, paper=_WIDE_RESNET,
                 input=(3, 32, 32), classes=10, parameters=2_748_890, macs=392_612_352),
    Architecture(name="wrn_28_10", builder="wiesel.zoo.wide_resnet:wrn_28_10", family="wide ResNet", year=2016, paper=_WIDE_RESNET,
                 input=(3, 32, 32), classes=10, parameters=36_479_194, macs=5_243_328_768,
                 accuracy=96.0, source="Zagoruyko, Komodakis 2016, CIFAR-10, no dropout, median of 5 runs"),
    Architecture(name="wrn_40_4", builder="wiesel.zoo.wide_resnet:wrn_40_4", family="wide ResNet", year=2016, paper=_WIDE_RESNET,
                 input=(3, 32, 32), classes=10, parameters=8_949_210, macs=1_298_582_016),
    Architecture(name="xception", builder="wiesel.zoo.xception:xception", family="Xception", year=2016, paper="arXiv:1610.02357",
                 input=(3, 299, 299), classes=1000, parameters=22_855_952, macs=8_357_403_496,
                 accuracy=79.058, source=_TIMM + ", legacy_xception.tf_in1k", knobs=("zero_init_last_norm",)),
    Architecture(name="mobilenet_v2", builder="wiesel.zoo.mobilenet:mobilenet_v2", family="MobileNet", year=2018, paper="arXiv:1801.04381",
                 input=(3, 224, 224), classes=1000, parameters=3_504_872, macs=300_774_272,
                 accuracy=71.878, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="efficientnet_b0", builder="wiesel.zoo.efficientnet:efficientnet_b0", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 224, 224), classes=1000, parameters=5_288_548, macs=385_814_752,
                 accuracy=77.692, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b1", builder="wiesel.zoo.efficientnet:efficientnet_b1", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 240, 240), classes=1000, parameters=7_794_184, macs=686_802_832,
                 accuracy=78.642, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b2", builder="wiesel.zoo.efficientnet:efficientnet_b2", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 260, 260), classes=1000, parameters=9_109_994, macs=993_561_872,
                 accuracy=79.612, source=_TIMM + ", tf_efficientnet_b2.in1k", knobs=("stem", "survival")),
    Architecture(name="efficientnet_b3", builder="wiesel.zoo.efficientnet:efficientnet_b3", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 300, 300), classes=1000, parameters=12_233_232, macs=1_827_141_392,
                 accuracy=82.008, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b4", builder="wiesel.zoo.efficientnet:efficientnet_b4", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 380, 380), classes=1000, parameters=19_341_616, macs=4_393_771_024,
                 accuracy=83.384, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b5", builder="wiesel.zoo.efficientnet:efficientnet_b5", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 456, 456), classes=1000, parameters=30_389_784, macs=10_266_384_752,
                 accuracy=83.444, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b6", builder="wiesel.zoo.efficientnet:efficientnet_b6", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 528, 528), classes=1000, parameters=43_040_704, macs=19_067_593_536,
                 accuracy=84.008, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_b7", builder="wiesel.zoo.efficientnet:efficientnet_b7", family="EfficientNet", year=2019, paper=_EFFICIENTNET,
                 input=(3, 600, 600), classes=1000, parameters=66_347_960, macs=37_745_884_192,
                 accuracy=84.122, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="efficientnet_l2", builder="wiesel.zoo.efficientnet:efficientnet_l2", family="EfficientNet", year=2019, paper="arXiv:1911.04252",
                 input=(3, 800, 800), classes=1000, parameters=480_309_308, macs=475_703_653_280,
                 knobs=("stem", "survival")),
    Architecture(name="mobilenet_v3_large", builder="wiesel.zoo.mobilenet:mobilenet_v3_large", family="MobileNet", year=2019, paper=_MOBILENET_V3,
                 input=(3, 224, 224), classes=1000, parameters=5_483_032, macs=216_589_760,
                 accuracy=74.042, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="mobilenet_v3_small", builder="wiesel.zoo.mobilenet:mobilenet_v3_small", family="MobileNet", year=2019, paper=_MOBILENET_V3,
                 input=(3, 224, 224), classes=1000, parameters=2_542_856, macs=56_510_400,
                 accuracy=67.668, source=_TORCHVISION, knobs=("stem",)),
    Architecture(name="efficientnet_lite0", builder="wiesel.zoo.efficientnet_lite:efficientnet_lite0", family="EfficientNet", year=2020,
                 paper="tensorflow/tpu, efficientnet/lite", input=(3, 224, 224), classes=1000, parameters=4_652_008, macs=385_187_552,
                 accuracy=74.83, source=_TIMM_LITE + ", tf_efficientnet_lite0.in1k", knobs=("stem", "survival")),
    Architecture(name="efficientnet_lite1", builder="wiesel.zoo.efficientnet_lite:efficientnet_lite1", family="EfficientNet", year=2020,
                 paper="tensorflow/tpu, efficientnet/lite", input=(3, 240, 240), classes=1000, parameters=5_416_680, macs=600_185_232,
                 accuracy=76.644, source=_TIMM_LITE + ", tf_efficientnet_lite1.in1k", knobs=("stem", "survival")),
    Architecture(name="efficientnet_lite2", builder="wiesel.zoo.efficientnet_lite:efficientnet_lite2", family="EfficientNet", year=2020,
                 paper="tensorflow/tpu, efficientnet/lite", input=(3, 260, 260), classes=1000, parameters=6_092_072, macs=859_736_272,
                 accuracy=77.464, source=_TIMM_LITE + ", tf_efficientnet_lite2.in1k", knobs=("stem", "survival")),
    Architecture(name="regnet_y_400mf", builder="wiesel.zoo.regnet:regnet_y_400mf", family="RegNet", year=2020, paper=_REGNET,
                 input=(3, 224, 224), classes=1000, parameters=4_344_144, macs=401_842_848,
                 accuracy=74.046, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="regnet_y_800mf", builder="wiesel.zoo.regnet:regnet_y_800mf", family="RegNet", year=2020, paper=_REGNET,
                 input=(3, 224, 224), classes=1000, parameters=6_432_512, macs=833_856_256,
                 accuracy=76.42, source=_TORCHVISION, knobs=("stem", "zero_init_last_norm")),
    Architecture(name="efficientnetv2_s", builder="wiesel.zoo.efficientnetv2:efficientnetv2_s", family="EfficientNetV2", year=2021, paper="arXiv:2104.00298",
                 input=(3, 384, 384), classes=1000, parameters=21_458_488, macs=8_365_617_152,
                 accuracy=84.228, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="nfnet_f0", builder="wiesel.zoo.nfnet:nfnet_f0", family="NFNet", year=2021, paper="arXiv:2102.06171",
                 input=(3, 256, 256), classes=1000, parameters=71_489_284, macs=12_384_198_656,
                 accuracy=83.468, source=_TIMM + ", dm_nfnet_f0.dm_in1k", knobs=("stem", "zero_init_last_norm", "survival")),
    Architecture(name="convnext_base", builder="wiesel.zoo.convnext:convnext_base", family="ConvNeXt", year=2022, paper=_CONVNEXT,
                 input=(3, 224, 224), classes=1000, parameters=88_591_464, macs=15_354_729_472,
                 accuracy=84.062, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="convnext_small", builder="wiesel.zoo.convnext:convnext_small", family="ConvNeXt", year=2022, paper=_CONVNEXT,
                 input=(3, 224, 224), classes=1000, parameters=50_223_688, macs=8_683_712_256,
                 accuracy=83.616, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="convnext_tiny", builder="wiesel.zoo.convnext:convnext_tiny", family="ConvNeXt", year=2022, paper=_CONVNEXT,
                 input=(3, 224, 224), classes=1000, parameters=28_589_128, macs=4_455_531_264,
                 accuracy=82.52, source=_TORCHVISION, knobs=("stem", "survival")),
    Architecture(name="wiesel_s", builder="wiesel.zoo.wiesel:wiesel_s", family="Wiesel", year=2026, paper="arXiv:2404.00498",
                 input=(1, 28, 28), classes=10, parameters=290_208, macs=11_685_152),
    Architecture(name="wiesel_m", builder="wiesel.zoo.wiesel:wiesel_m", family="Wiesel", year=2026, paper="arXiv:2404.00498",
                 input=(1, 28, 28), classes=10, parameters=493_216, macs=21_435_680),
    Architecture(name="wiesel_l", builder="wiesel.zoo.wiesel:wiesel_l", family="Wiesel", year=2026, paper="arXiv:2404.00498",
                 input=(1, 28, 28), classes=10, parameters=1_963_296, macs=82_310_944),
    Architecture(name="simple_cnn", builder="wiesel.zoo.simple:simple_cnn", family="textbook", year=2025, paper=_BOOK,
                 input=(1, 28, 28), classes=10, parameters=19_466, macs=14_677_120),
    Architecture(name="hierarchical_cnn", builder="wiesel.zoo.simple:hierarchical_cnn", family="textbook", year=2025, paper=_BOOK,
                 input=(3, 32, 32), classes=10, parameters=374_282, macs=379_259_392),
)
# fmt: on
