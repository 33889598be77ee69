"""Tensors out of PyTorch's own file formats, which are pickles, without unpickling.

A pickle is a program for a small stack machine. What makes it dangerous is that the program may name any function of any installed
package and call it. The machine here has no such instruction: a name (`GLOBAL`) must be one of the few in `KNOWN` and becomes a mark
that stands for itself, and a call (`REDUCE`) is one of two things that this file does: begin an ordered mapping, or describe a
tensor. Nothing is imported, nothing is looked up, nothing in the file is run. An instruction that files of tensors do not need ends the
reading.

Neither can a file make this reader fill the memory: a storage must be there in full, byte for byte, before a tensor is cut out of it, a
tensor has at most as many numbers as its storage, and compressed archives are refused.

    old format    five pickles (a magic number, a version, the sizes of types, the mapping, the keys of the storages), then for each
                  key the number of elements (8 bytes) and the elements
    .zip format   `*/data.pkl` with the mapping, and `*/data/<key>` with the elements of each storage
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001

DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class NotTensors(Exception):
    """The bytes are no mapping of tensors that this reader takes; the text says why."""


@dataclass(frozen=True)
class Name:
    """What a name of the file has become: its text, and no more."""

    module: str
    name: str


MAPPING = Name("collections", "OrderedDict")
TENSORS = (Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_tensor"))
PARAMETER = Name("torch._utils", "_rebuild_parameter")
KNOWN = {MAPPING, *TENSORS, PARAMETER, *(Name("torch", storage) for storage in DTYPES)}


@dataclass(frozen=True)
class Storage:
    """A row of `count` numbers, which lies elsewhere in the file under `key`."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True)
class Part:
    """A tensor: which numbers of a storage, and in which order."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


DAMAGE = (LookupError, ValueError, TypeError, ArithmeticError, RuntimeError, EOFError, OSError, struct.error, zipfile.BadZipFile)
"""What damaged bytes make the libraries raise that are asked to take them apart."""


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """The mapping from names to tensors that `torch.save` wrote.

    Raises:
        NotTensors: the bytes are damaged, or hold anything else than a plain mapping of tensors.
    """
    try:
        return _zip(data) if data[:4] == b"PK\3\4" else _old(data)
    except DAMAGE as error:
        raise NotTensors(f"damaged: {error or type(error).__name__}") from error


def _old(data: bytes) -> dict[str, Tensor]:
    stream = io.BytesIO(data)
    if (magic := _run(stream)) != MAGIC:
        raise NotTensors(f"no PyTorch file: begins with {magic!r}")
    if (version := _run(stream)) != VERSION:
        raise NotTensors(f"unknown version {version!r}")
    sizes = _run(stream)
    if not isinstance(sizes, dict) or sizes.get("little_endian") is not True:
        raise NotTensors("written on a machine with another order of bytes")
    parts = _parts(_run(stream))
    keys = _run(stream)
    wanted = {part.storage.key: part.storage for part in parts.values()}
    if not isinstance(keys, list) or set(keys) != set(wanted) or len(keys) != len(wanted):
        raise NotTensors("its storages are not those that its tensors name")
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", stream.read(8))
        if count != wanted[key].count:
            raise NotTensors(f"storage {key} has {count} elements instead of {wanted[key].count}")
        storages[key] = stream.read(count * wanted[key].dtype.itemsize)
    if stream.read(1):
        raise NotTensors("bytes after its end")
    return _cut(parts, storages)


def _zip(data: bytes) -> dict[str, Tensor]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        roots = [name.removesuffix("data.pkl") for name in entries if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise NotTensors("no PyTorch archive")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
            raise NotTensors("a compressed archive")
        order = entries.get(roots[0] + "byteorder")
        if order is not None and archive.read(order) != b"little":
            raise NotTensors("written on a machine with another order of bytes")
        parts = _parts(_run(io.BytesIO(archive.read(roots[0] + "data.pkl"))))
        keys = {part.storage.key for part in parts.values()}
        return _cut(parts, {key: archive.read(f"{roots[0]}data/{key}") for key in keys})


def _parts(found: Any) -> dict[str, Part]:
    if not isinstance(found, dict):
        raise NotTensors(f"holds a {type(found).__name__}, not a mapping of tensors")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Part):
            raise NotTensors(f"{name!r} is a {type(value).__name__}, not a tensor")
    return found


def _cut(parts: Mapping[str, Part], storages: Mapping[str, bytes]) -> dict[str, Tensor]:
    flat = {}
    for part in parts.values():
        storage, content = part.storage, storages[part.storage.key]
        if len(content) != storage.count * storage.dtype.itemsize:
            raise NotTensors(f"storage {storage.key} is cut short")
        if storage.key not in flat:
            flat[storage.key] = (
                torch.frombuffer(bytearray(content), dtype=storage.dtype) if content else torch.empty(0, dtype=storage.dtype)
            )
    tensors = {}
    for name, part in parts.items():
        reach = part.offset + 1 + sum((side - 1) * step for side, step in zip(part.size, part.stride, strict=True))
        count = prod(part.size)
        if count and (reach > part.storage.count or count > part.storage.count):
            raise NotTensors(f"{name!r} reaches beyond its storage")
        whole = flat[part.storage.key]
        tensors[name] = whole.as_strided(part.size, part.stride, part.offset).clone() if count else whole.new_empty(part.size)
    return tensors


# --- the stack machine -------------------------------------------------------------------------------------------------------


class Machine:
    def __init__(self, stream: io.BytesIO) -> None:
        self.stream = stream
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def run(self) -> Any:
        """The value on top of the stack when the program says stop."""
        while (code := self.take(1)) != b".":
            if code not in INSTRUCTIONS:
                raise NotTensors(f"an instruction that files of tensors do not need ({code!r})")
            INSTRUCTIONS[code](self)
        return self.stack.pop()

    def take(self, count: int) -> bytes:
        found = self.stream.read(count)
        if len(found) != count:
            raise NotTensors("cut short")
        return found

    def whole(self, form: str) -> int:
        """The next little-endian number, `form` as in `struct`."""
        return int(struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0])

    def line(self) -> str:
        return self.stream.readline(200).decode("ascii").removesuffix("\n")

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        found = self.stack[start:]
        del self.stack[start:]
        return found


def _run(stream: io.BytesIO) -> Any:
    return Machine(stream).run()


def _protocol(machine: Machine) -> None:
    if (protocol := machine.whole("B")) != 2:
        raise NotTensors(f"pickle protocol {protocol}")


def _name(machine: Machine) -> None:
    name = Name(machine.line(), machine.line())
    if name not in KNOWN:
        raise NotTensors(f"names {name.module}.{name.name}, which is no tensor")
    machine.stack.append(name)


def _call(machine: Machine) -> None:
    arguments, name = machine.stack.pop(), machine.stack.pop()
    if name == MAPPING and arguments == ():
        machine.stack.append({})
    elif name in TENSORS and isinstance(arguments, tuple):
        machine.stack.append(_part(arguments))
    elif name == PARAMETER and isinstance(arguments, tuple) and arguments and isinstance(arguments[0], Part):
        machine.stack.append(arguments[0])
    else:
        raise NotTensors("a call that makes no tensor")


def _part(arguments: tuple[Any, ...]) -> Part:
    if len(arguments) not in (4, 6, 7):
        raise NotTensors("a tensor with other facts than usual")
    storage, offset, size, stride = arguments[:4]
    numbers = [offset, *size, *stride] if isinstance(size, tuple) and isinstance(stride, tuple) else [None]
    sound = all(type(number) is int and 0 <= number < 2**48 for number in numbers)
    if not isinstance(storage, Storage) or not sound or len(size) != len(stride):
        raise NotTensors("a tensor with impossible facts")
    return Part(storage, offset, size, stride)


def _storage(machine: Machine) -> None:
    facts = machine.stack.pop()
    if not (isinstance(facts, tuple) and len(facts) in (5, 6) and facts[0] == "storage" and isinstance(facts[1], Name)):
        raise NotTensors("a reference to something else than a storage")
    kind, key, count = facts[1], facts[2], facts[4]
    if kind.name not in DTYPES or not (isinstance(key, str) and key.isdecimal() and type(count) is int and 0 <= count < 2**48):
        raise NotTensors("a storage with impossible facts")
    if len(facts) == 6 and facts[5] is not None:
        raise NotTensors("a storage that is a view of another")
    machine.stack.append(Storage(key, DTYPES[kind.name], count))


def _set(machine: Machine, pairs: Sequence[Any]) -> None:
    mapping = machine.stack[-1]
    if type(mapping) is not dict or len(pairs) % 2:
        raise NotTensors("damaged: entries without a mapping")
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if not isinstance(key, str):
            raise NotTensors(f"a name that is no text: {key!r}")
        mapping[key] = value


def _set_one(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set(machine, (key, value))


def _append(machine: Machine, values: Sequence[Any]) -> None:
    if type(machine.stack[-1]) is not list:
        raise NotTensors("damaged: entries without a list")
    machine.stack[-1].extend(values)


def _drop_attributes(machine: Machine) -> None:
    """`BUILD` would set attributes. `torch.save` gives the mapping one, the versions of its layers; nothing here needs it."""
    machine.stack.pop()
    if type(machine.stack[-1]) is not dict:
        raise NotTensors("attributes of something else than a mapping")


def _long(machine: Machine) -> None:
    machine.stack.append(int.from_bytes(machine.take(machine.whole("B")), "little", signed=True))


def _text(machine: Machine) -> None:
    machine.stack.append(machine.take(machine.whole("I")).decode("utf-8"))


def _tuple(count: int) -> Callable[[Machine], None]:
    def take(machine: Machine) -> None:
        if len(machine.stack) < count:
            raise NotTensors("damaged: an empty stack")
        found = tuple(machine.stack[len(machine.stack) - count :])
        del machine.stack[len(machine.stack) - count :]
        machine.stack.append(found)

    return take


def _push(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(value)


def _remember(form: str) -> Callable[[Machine], None]:
    return lambda machine: machine.memory.__setitem__(machine.whole(form), machine.stack[-1])


INSTRUCTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _protocol,
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"N": _push(None),
    b"\x88": _push(True),
    b"\x89": _push(False),
    b"K": lambda machine: machine.stack.append(machine.whole("B")),
    b"M": lambda machine: machine.stack.append(machine.whole("H")),
    b"J": lambda machine: machine.stack.append(machine.whole("i")),
    b"\x8a": _long,
    b"X": _text,
    b")": _tuple(0),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"t": lambda machine: machine.stack.append(tuple(machine.since_mark())),
    b"}": lambda machine: machine.stack.append({}),
    b"]": lambda machine: machine.stack.append([]),
    b"s": _set_one,
    b"u": lambda machine: _set(machine, machine.since_mark()),
    b"a": lambda machine: _append(machine, [machine.stack.pop()]),
    b"e": lambda machine: _append(machine, machine.since_mark()),
    b"q": _remember("B"),
    b"r": _remember("I"),
    b"h": lambda machine: machine.stack.append(machine.memory[machine.whole("B")]),
    b"j": lambda machine: machine.stack.append(machine.memory[machine.whole("I")]),
    b"c": _name,
    b"R": _call,
    b"Q": _storage,
    b"b": _drop_attributes,
}
"""The instructions of pickle's protocol 2 that mappings of tensors are made of."""
