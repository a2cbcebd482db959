"""State dictionaries without PyTorch: the arrays as they are, and nothing that is not an array."""

import io
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.models.torch_file import MAGIC, state_dict


class Named:
    """Pickles as a global name, as PyTorch's classes do."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Writes what PyTorch wrote before 1.6, without PyTorch."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save((Storage(obj), obj.offset, obj.shape, obj.strides, False, OrderedDict()))
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            kind = Named("torch", "FloatStorage" if obj.tensor.data.dtype.kind == "f" else "LongStorage")
            return ("storage", kind, obj.tensor.key, "cpu", obj.tensor.data.size, None)
        return None


class Storage:
    def __init__(self, tensor):
        self.tensor = tensor


class Tensor:
    def __init__(self, key, data, shape, strides, offset=0):
        self.key, self.data, self.shape, self.strides, self.offset = key, data, shape, strides, offset


def written(tensors, magic=MAGIC):
    stream, stored = io.BytesIO(), [t for t in tensors.values() if isinstance(t, Tensor)]
    for part in (magic, 1001, {"little_endian": True}, OrderedDict(tensors), [t.key for t in stored]):
        Pickler(stream, protocol=2).dump(part)
    for tensor in stored:
        stream.write(tensor.data.size.to_bytes(8, "little") + tensor.data.tobytes())
    return stream.getvalue()


DATA = np.arange(24, dtype=np.float32)


def test_arrays_come_back_in_any_layout():
    found = state_dict(
        written(
            {
                "rows": Tensor("1", DATA, (2, 3, 4), (12, 4, 1)),
                "columns": Tensor("2", DATA, (4, 6), (1, 4)),
                "part": Tensor("3", DATA, (2, 2), (8, 2), 3),
                "count": Tensor("4", np.int64([7]), (), ()),
            }
        )
    )
    np.testing.assert_array_equal(found["rows"], DATA.reshape(2, 3, 4))
    np.testing.assert_array_equal(found["columns"], DATA.reshape(6, 4).T)
    np.testing.assert_array_equal(found["part"], [[3, 5], [11, 13]])
    assert found["count"].shape == () and found["count"] == 7 and found["count"].dtype == np.int64


@pytest.mark.parametrize("module, name", [("os", "system"), ("builtins", "eval"), ("torch", "DoubleStorage")])
def test_a_file_may_not_name_anything_but_tensors(module, name):
    with pytest.raises(UserError, match=rf"no state dictionary .* it asks for {module}\.{name}"):
        state_dict(written({"a": Tensor("1", DATA, (24,), (1,)), "b": Named(module, name)}))


@pytest.mark.parametrize(
    "shape, strides, offset",
    [((25,), (1,), 0), ((4, 6), (6, 2), 0), ((24,), (1,), 1), ((2,), (-1,), 3), ((2,), (1,), -1)],
)
def test_a_tensor_outside_its_storage_is_refused(shape, strides, offset):
    with pytest.raises(UserError, match="outside its storage"):
        state_dict(written({"a": Tensor("1", DATA, shape, strides, offset)}))


def test_files_of_another_kind_are_refused(tmp_path):
    whole = written({"a": Tensor("1", DATA, (24,), (1,))})
    for content in (b"", b"PK\x03\x04", whole[:-8], whole[:40], written({}, magic=1), b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(UserError, match="no state dictionary"):
            state_dict(content)
    (tmp_path / "a.pth").write_bytes(b"text")
    with pytest.raises(UserError, match=r"a\.pth is no state dictionary"):
        state_dict(tmp_path / "a.pth")
