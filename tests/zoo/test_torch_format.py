import io
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from wiesel.zoo.published_weights import PUBLISHED, package_path
from wiesel.zoo.torch_format import NotTensors, read_tensors

LITE = [row for row in PUBLISHED if row.package]
FORMATS = pytest.mark.parametrize("archive", [False, True], ids=["old", "zip"])


def saved(content, archive):
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=archive)
    return stream.getvalue()


def some_tensors():
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(4, 6, generator=generator)
    tensors = OrderedDict(
        whole=wide,
        turned=wide.t(),
        part=wide[1:3, ::2],
        one=torch.tensor(3),
        empty=torch.empty(0, 5),
        half=torch.randn(3, generator=generator).half(),
        bfloat=torch.randn(3, generator=generator).bfloat16(),
        double=torch.randn(3, generator=generator).double(),
        yes=torch.tensor([True, False]),
        bytes=torch.arange(5, dtype=torch.uint8),
        shorts=torch.arange(5, dtype=torch.int16),
    )
    tensors._metadata = {"": {"version": 1}}
    return tensors


@FORMATS
def test_tensors_come_back_as_pytorch_reads_them(archive):
    data = saved(some_tensors(), archive)
    found, expected = read_tensors(data), torch.load(io.BytesIO(data), weights_only=True)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        torch.testing.assert_close(found[name], values, rtol=0, atol=0)
    found["whole"].zero_()
    assert found["turned"].abs().sum() > 0, "each tensor has numbers of its own"


@FORMATS
def test_parameters_are_tensors(archive):
    data = saved({"weight": torch.nn.Parameter(torch.ones(2))}, archive)
    assert torch.equal(read_tensors(data)["weight"], torch.ones(2))


@pytest.mark.parametrize("row", LITE, ids=lambda row: row.name)
def test_the_packages_files_are_read_as_pytorch_reads_them(row):
    path = package_path(row)
    if path is None:
        pytest.skip(f"{row.package} is not installed; it is in the extra `dev`")
    found, expected = read_tensors(path.read_bytes()), torch.load(path, weights_only=True)
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], values) for name, values in expected.items())


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@FORMATS
@pytest.mark.parametrize(
    "content",
    [
        lambda path: {"a": Canary(path)},
        lambda path: Canary(path),
        lambda path: {"a": torch.zeros(1), "b": print},
        lambda path: {"a": [torch.zeros(1)]},
        lambda path: {"a": {"b": torch.zeros(1)}},
        lambda path: [torch.zeros(1)],
        lambda path: {3: torch.zeros(1)},
        lambda path: {"a": torch.nn.Linear(1, 1)},
        lambda path: {"a": torch.zeros(2).to_sparse()},
        lambda path: {"a": 1.5},
    ],
    ids=[
        "call inside",
        "call",
        "function",
        "list inside",
        "mapping inside",
        "list",
        "number as name",
        "module",
        "sparse",
        "number",
    ],
)
def test_anything_but_plain_tensors_is_refused_and_nothing_runs(content, archive, tmp_path):
    data = saved(content(tmp_path / "canary"), archive)
    with pytest.raises(NotTensors):
        read_tensors(data)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_plain_pickle_is_refused_and_nothing_runs(protocol, tmp_path):
    with pytest.raises(NotTensors):
        read_tensors(pickle.dumps(Canary(tmp_path / "canary"), protocol=protocol))
    assert not (tmp_path / "canary").exists()


def test_a_tensor_that_reaches_beyond_its_numbers_is_refused():
    data = saved({"a": torch.arange(200.0)}, archive=False)
    assert data.count(b"K\xc8") == 2  # 200 elements; a side of 200
    storage, size = data.index(b"K\xc8"), data.rindex(b"K\xc8")
    with pytest.raises(NotTensors, match="beyond"):
        read_tensors(data[:size] + b"K\xc9" + data[size + 2 :])
    with pytest.raises(NotTensors, match="200 elements instead of 201"):
        read_tensors(data[:storage] + b"K\xc9" + data[storage + 2 :])


def test_a_small_file_cannot_ask_for_much_memory():
    """A stride of 0 repeats one number as often as a size says."""
    data = saved({"a": torch.zeros(1).expand(60_000, 60_000)}, archive=False)
    with pytest.raises(NotTensors, match="beyond"):
        read_tensors(data)


def test_a_compressed_archive_is_refused():
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"a": torch.zeros(4)}, archive=True))) as plain,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.namelist():
            packed.writestr(entry, plain.read(entry))
    with pytest.raises(NotTensors, match="compressed"):
        read_tensors(made.getvalue())


@FORMATS
def test_a_file_cut_anywhere_is_refused(archive):
    data = saved({"a": torch.arange(6.0), "b": torch.arange(3)}, archive)
    for length in range(0, len(data), max(1, len(data) // 300)):
        with pytest.raises(NotTensors):
            read_tensors(data[:length])


@FORMATS
def test_damaged_bytes_give_tensors_or_a_refusal_and_nothing_else(archive):
    data = saved({"a": torch.arange(6.0), "b": torch.arange(3)}, archive)
    rng = np.random.default_rng(0)
    for _ in range(600):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            broken[place] = rng.integers(256)
        try:
            found = read_tensors(bytes(broken))
        except NotTensors:
            continue
        assert all(isinstance(values, torch.Tensor) and values.numel() <= len(data) for values in found.values())
