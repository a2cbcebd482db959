"""A model made elsewhere, as an ONNX file: what it must take and give to be evaluated like ours.

- One input, float32 of four axes, a batch of RGB images in 0–255: (1, 3, h, w) or (1, h, w, 3). What else a model
  wants done to its input (a mean taken off, a scale) is part of the file. Where h and w are fixed, images are resized
  to them; where they are free, to the short side that is asked for.
- Its first output: one score per class of the label space, on a grid that covers the whole image: (1, n, h, w) or
  (1, h, w, n), logits or probabilities.
"""

from pathlib import Path

import cv2
import numpy as np

from cocoseg.errors import UserError

CONTRACT = "float32 images (1, 3, h, w) or (1, h, w, 3), RGB in 0–255"


class OnnxModel:
    """An ONNX file, ready to look at images; `fixed` is the (h, w) it takes, None if it takes any.

    A file that is missing, is no model or takes something else, and a machine without onnxruntime, are a `UserError`.
    """

    def __init__(self, path: Path | str, n: int):
        try:
            import onnxruntime
        except ImportError:
            raise UserError("evaluating an ONNX file needs the package onnxruntime: pip install onnxruntime") from None
        if not Path(path).is_file():
            raise UserError(f"no ONNX file {path}")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, onnxruntime.get_available_providers())
        except Exception as error:  # onnxruntime has a class of its own for each way to fail, and no common one
            raise UserError(f"{Path(path).name} cannot be read as an ONNX model: {_first_line(error)}") from None
        self.name, self.n = Path(path).stem, n
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if inputs else []
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(shape) != 4 or 3 not in (shape[1], shape[3]):
            takes = ", ".join(f"{i.name}: {i.type} {i.shape}" for i in inputs)
            raise UserError(f"{Path(path).name} takes {takes or 'nothing'}; expected {CONTRACT}")
        self._channels_first = shape[1] == 3
        size = shape[2:] if self._channels_first else shape[1:3]
        self.fixed = tuple(size) if all(isinstance(side, int) for side in size) else None

    def __call__(self, image: np.ndarray, size: int) -> np.ndarray:
        """Scores, float32 h×w×n, of an image, uint8 H×W×3 RGB, whose short side is resized to `size`, or to `fixed`."""
        height, width = image.shape[:2]
        scale = size / min(height, width)
        h, w = self.fixed or (max(1, round(height * scale)), max(1, round(width * scale)))
        smooth = cv2.INTER_AREA if h * w < height * width else cv2.INTER_LINEAR
        pixels = cv2.resize(image, (w, h), interpolation=smooth).astype(np.float32)
        batch = (pixels.transpose(2, 0, 1) if self._channels_first else pixels)[None]
        try:
            (scores, *_) = self._session.run(None, {self._session.get_inputs()[0].name: batch})
        except Exception as error:
            raise UserError(f"the ONNX model refuses an image of {h}×{w} px (H×W): {_first_line(error)}") from None
        return self._by_position(np.asarray(scores))

    def _by_position(self, scores: np.ndarray) -> np.ndarray:
        if scores.ndim == 4 and scores.shape[0] == 1:
            first, last = scores.shape[1] == self.n, scores.shape[3] == self.n
            if first and (self._channels_first or not last):
                return np.ascontiguousarray(scores[0].transpose(1, 2, 0), np.float32)
            if last:
                return np.ascontiguousarray(scores[0], np.float32)
        raise UserError(
            f"the ONNX model's first output has shape {scores.shape}; expected (1, n, h, w) or (1, h, w, n) with "
            f"n = {self.n}, the classes of the label space"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
