"""A Keras network as a model: images of any size in, logits of the same size out."""

import functools

import numpy as np

from cocoseg.models import backend


def of_size(network, height: int, width: int):
    """The same Keras network, with other weights, for images of one size: all its layers' shapes are known."""
    keras = backend.keras()
    return keras.models.clone_model(network, input_tensors=keras.Input((height, width, 3)))


class Network:
    """A network on RGB images in 0–255 whose logits have the size of its input.

    Its input sides must be multiples of `stride`, the number of pixels that one position of its coarsest layer
    stands for; `predict` sees to that. `encoder` is the part of it that was trained before, a Keras model that shares
    its layers; None if there is none.
    """

    def __init__(self, network, encoder=None):
        self.network = network
        self.encoder = encoder

    @functools.cached_property
    def stride(self) -> int:
        """Pixels to one position of the coarsest layer."""
        side = 512
        outputs = backend.keras().tree.flatten([layer.output for layer in of_size(self.network, side, side).layers])
        return max(side // output.shape[1] for output in outputs if output.ndim == 4 and output.shape[1] > 1)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The weights, by the place of their variable in the network."""
        return {f"{i:03d}": np.asarray(v) for i, v in enumerate(self.network.get_weights())}

    @arrays.setter
    def arrays(self, arrays: dict[str, np.ndarray]) -> None:
        self.network.set_weights([arrays[key] for key in sorted(arrays)])

    def predict(self, image: np.ndarray, size: int) -> np.ndarray:
        """Logits, float32 h×w×n, of an image (uint8 H×W×3) whose short side is resized to `size`."""
        height, width = image.shape[:2]
        scale = size / min(height, width)
        shape = max(1, round(height * scale)), max(1, round(width * scale))
        return self._forward(image, np.array(shape, np.int32)).numpy()

    @functools.cached_property
    def _forward(self):
        tf = backend.tensorflow()
        stride = self.stride  # found out here: the network that tells it must not become a part of the function
        signature = [tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec(2, tf.int32)]

        @tf.function(input_signature=signature, autograph=False)
        def forward(image, shape):
            x = tf.image.resize(image[None], shape, antialias=True)
            padding = -shape % stride
            x = tf.pad(x, [[0, 0], [0, padding[0]], [0, padding[1]], [0, 0]])
            logits = self.network(x, training=False)
            return tf.cast(logits[0, : shape[0], : shape[1]], tf.float32)

        return forward
