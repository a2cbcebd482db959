"""Arrays out of a file that PyTorch wrote, without PyTorch and without running what the file says.

The format before 1.6: five pickles (magic number, protocol, sizes of types, content, keys of storages), then the
storages, each a length and its numbers. A pickle may call whatever it names; here it may name what a dictionary of
tensors needs, and nothing else.
"""

import io
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np

from cocoseg.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def state_dict(content: bytes | Path) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary by name, float32 or int64, of a file's content or of the file at a path.

    A file that is not one, is cut off, or names anything but tensors is a `UserError`.
    """
    name = content if isinstance(content, Path) else "the file"
    stream = io.BytesIO(content.read_bytes() if isinstance(content, Path) else content)
    try:
        if _Tensors(stream).load() != MAGIC:
            raise pickle.UnpicklingError("it does not begin with PyTorch's magic number")
        _Tensors(stream).load()
        _Tensors(stream).load()
        tensors = _Tensors(stream).load()
        types = {storage[2]: TYPES[storage[1]] for storage, *_ in tensors.values()}
        storages = {key: _storage(stream, types[key]) for key in _Tensors(stream).load()}
        return {key: _array(storages[storage[2]], *place) for key, (storage, *place) in tensors.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{name} is no state dictionary of PyTorch (in its format before 1.6): {error}") from None


class _Tensors(pickle.Unpickler):
    """Names storages and tensors, and makes neither."""

    def find_class(self, module, name):
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch", ("FloatStorage" | "LongStorage"):
                return name
            case "torch._utils", "_rebuild_tensor_v2":
                return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid):
        return pid


def _storage(stream: io.BytesIO, dtype: np.dtype) -> np.ndarray:
    length = int.from_bytes(stream.read(8), "little")
    return np.frombuffer(stream.read(length * dtype.itemsize), dtype, length)


def _array(storage: np.ndarray, offset: int, shape: tuple, strides: tuple) -> np.ndarray:
    """A copy of a strided view, refused where it leaves its storage."""
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if offset < 0 or min(strides, default=0) < 0 or last >= storage.size:
        raise ValueError("a tensor lies outside its storage")
    view = np.lib.stride_tricks.as_strided(storage[offset:], shape, [step * storage.itemsize for step in strides])
    return np.ascontiguousarray(view).reshape(shape)
