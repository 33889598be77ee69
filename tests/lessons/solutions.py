"""One right solution of every exercise (as lines that replace the template's), for the tests of the checkers. Not part of the package."""

from __future__ import annotations

SOLUTIONS = {
    "conv2d": """
import torch

def conv2d(pictures, weight, bias, stride=1, padding=0):
    b, c, h, w = pictures.shape
    padded = torch.zeros(b, c, h + 2 * padding, w + 2 * padding)
    padded[:, :, padding:padding + h, padding:padding + w] = pictures
    k = weight.shape[2]
    rows, columns = output_size(h, k, stride, padding), output_size(w, k, stride, padding)
    out = torch.zeros(b, len(weight), rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = padded[:, :, i * stride:i * stride + k, j * stride:j * stride + k]
            out[:, :, i, j] = (window[:, None] * weight[None]).sum((2, 3, 4)) + bias
    return out

def max_pool2d(pictures, size, stride):
    rows, columns = (output_size(side, size, stride, 0) for side in pictures.shape[2:])
    out = torch.zeros(*pictures.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = pictures[:, :, i * stride:i * stride + size, j * stride:j * stride + size].amax((2, 3))
    return out

def output_size(side, kernel, stride, padding):
    return (side + 2 * padding - kernel) // stride + 1
""",
    "cnn_mnist": """
import torch
from torch import nn

def network():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10))

def train(model, pictures, labels):
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for start in range(0, 1200, 50):
        loss = nn.functional.cross_entropy(model(pictures[start:start + 50]), labels[start:start + 50])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
""",
    "transfer": """
from torch import nn

def adapt(network, classes):
    for parameter in network.parameters():
        parameter.requires_grad = False
    for name, layer in network.head.named_modules():
        if isinstance(layer, nn.Linear):
            last = name
    setattr(network.head, last, nn.Linear(512, classes))
    return network

comparison = "It gains much with few pictures."
""",
    "filter_effects": """
kinds = {"gaussian": "low-pass", "sharpen": "high-emphasis", "edge": "high-pass", "emboss": "band-emphasis", "sobel_x": "band-pass"}
blur = [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]]
level_edges = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
nothing = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
description = "Text"
""",
    "without_residuals": """
import torch.nn.functional as F
from torch import nn

class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

class PlainBlock(Block):
    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))

explanation = "Text"
""",
    "resnet": """
import torch.nn.functional as F
from torch import nn

def shortcut(channels_in, channels, stride):
    if stride == 1 and channels_in == channels:
        return nn.Sequential()
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

class BasicBlock(nn.Module):
    expansion = 1
    def __init__(self, channels_in, channels, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        self.shortcut = shortcut(channels_in, channels, stride)
    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))

class Bottleneck(nn.Module):
    expansion = 4
    def __init__(self, channels_in, channels, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = nn.Conv2d(channels, 4 * channels, 1, bias=False), nn.BatchNorm2d(4 * channels)
        self.shortcut = shortcut(channels_in, 4 * channels, stride)
    def forward(self, x):
        out = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(out)) + self.shortcut(x))

def resnet(block, blocks, classes=1000, channels=3):
    layers = [nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    width = 64
    for stage, count in enumerate(blocks):
        for i in range(count):
            layers.append(block(width, 64 * 2**stage, 2 if stage and not i else 1))
            width = 64 * 2**stage * block.expansion
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
""",
    "vanishing_gradients": """
from torch import nn

def gradient_norms(network, pictures, labels):
    network.zero_grad()
    nn.functional.cross_entropy(network(pictures), labels).backward()
    return [float(m.weight.grad.norm()) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]

def left_after(factor, layers, shortcut):
    return (factor + shortcut) ** layers

explanation = "Text"
""",
    "three_families": """
import torch
from torch import nn

def parameters(network):
    return sum(p.numel() for p in network.parameters())

def multiply_adds(network, image):
    total = 0
    def hook(layer, inputs, output):
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += output[0].numel() * layer.weight[0].numel()
        else:
            total += layer.weight.numel()
    hooks = [m.register_forward_hook(hook) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, *image))
    for one in hooks:
        one.remove()
    return total

comparison = "Text"
""",
    "compound_scaling": """
import math

def grid(step, highest, tolerance):
    values = [1 + step * i for i in range(round((highest - 1) / step) + 1)]
    return [(a, b, c) for a in values for b in values for c in values if abs(a * b**2 * c**2 - 2) <= tolerance]

def scaled(phi, depth, width, side, alpha=1.2, beta=1.1, gamma=1.15):
    return math.ceil(depth * alpha**phi), 8 * round(width * beta**phi / 8), round(side * gamma**phi)

derivation = "Text"
""",
    "gaussian_process": """
import numpy as np

def rbf(first, second, length):
    return np.exp(-((first[:, None] - second[None]) ** 2).sum(2) / (2 * length**2))

def posterior(known, values, asked, length, noise):
    inverse = np.linalg.inv(rbf(known, known, length) + noise * np.eye(len(known)))
    across = rbf(asked, known, length)
    return across @ inverse @ values, 1 - np.diag(across @ inverse @ across.T)

def deep_kernel(features, first, second, length):
    return rbf(features(first), features(second), length)

explanation = "Text"
""",
    "recent_paper": """
model, parameters, largest_kernel = "convnext_tiny", 28.6, 7
summary = "Text"
opinion = "Text"
""",
    "lab_sheet_1": """
import numpy as np

machine = "Here."
drawing = "network.svg"
run = "run"
confused = CONFUSED
best_f1 = BEST
interpretation = "Text"

def denormalised(pictures, mean, deviation):
    return pictures * deviation + mean

def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
""",
    "lab_sheet_2": """
import torch
from torch import nn

fewer_epochs = more_epochs = some_sigmoid = stride_comparison = simplest = None
sizes = []

def with_activation(network, new):
    for name, child in network.named_children():
        if isinstance(child, nn.ReLU):
            setattr(network, name, new())
        else:
            with_activation(child, new)
    return network

def pooling_outputs(network, pictures):
    found = []
    hooks = [m.register_forward_hook(lambda m, i, o: found.append(o)) for m in network.modules() if isinstance(m, nn.MaxPool2d)]
    network(pictures)
    for hook in hooks:
        hook.remove()
    return found

for_and_against = "Text"

def deeper():
    convolutions = [nn.Conv2d(1, 4, 3)] + [nn.Conv2d(4, 4, 3) for _ in range(3)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(4 * 20 * 20, 16), nn.ReLU(), nn.Linear(16, 10))

def shallower():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))

class Parallel(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.end = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 5, padding=2), nn.Linear(4, 10)
    def forward(self, x):
        return self.end(torch.cat([self.a(x), self.b(x)], 1).mean((2, 3)))

class Answering(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network
    def forward(self, x):
        label = self.network(x).argmax(1)
        return nn.functional.one_hot(label, self.network(x).shape[1]), label

to_a_friend = "Text"
""",
}
