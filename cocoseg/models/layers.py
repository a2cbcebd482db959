"""What networks are made of here: convolution, normalisation, rectifier; and the step from channels to classes."""

import functools

from cocoseg.models import backend


def initialiser(seed: int):
    """Draws kernels: normal, with a variance of 2 / (positions of the kernel · channels out).

    He et al., "Delving deep into rectifiers", ICCV 2015, for the backward pass; each draw is another.
    """
    keras = backend.keras()
    return keras.initializers.VarianceScaling(
        2.0, "fan_out", "untruncated_normal", seed=keras.random.SeedGenerator(seed)
    )


def rectified(x):
    """Batch normalisation over the last tenth of batches or so, then a rectifier."""
    layers = backend.keras().layers
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def convolution(x, channels: int, kernel: int, start):
    """B×H×W×channels: convolved with kernel×kernel positions, normalised and rectified."""
    layers = backend.keras().layers
    return rectified(layers.Conv2D(channels, kernel, padding="same", use_bias=False, kernel_initializer=start)(x))


def separable(x, channels: int, kernel: int, start, rate: int = 1):
    """As a convolution, at positions `rate` px apart: first each channel on its own, then across channels.

    Chollet, "Xception", CVPR 2017.
    """
    x = backend.keras().layers.DepthwiseConv2D(
        kernel, padding="same", dilation_rate=rate, use_bias=False, depthwise_initializer=start
    )(x)
    return convolution(rectified(x), channels, 1, start)


def enlarged(x, factor: int, dtype: str | None = None):
    """B×(factor·H)×(factor·W)×C, bilinearly; pixels are squares, the border continues."""
    return _enlarge()(factor, dtype=dtype)(x)


def logits(x, n: int, start, factor: int = 1):
    """Logits of n classes in float32, whatever the precision of the layers before, `factor` times as large."""
    keras = backend.keras()
    small = keras.initializers.RandomNormal(stddev=0.01, seed=start.seed)
    x = keras.layers.Conv2D(n, 1, kernel_initializer=small, dtype="float32")(x)
    return enlarged(x, factor, "float32") if factor > 1 else x


@functools.cache
def _enlarge():
    """Keras's UpSampling2D, which is this, refuses in a compiled function a size that is known only when it runs."""
    keras = backend.keras()
    ops = keras.ops

    def matrix(length, factor, dtype):
        """Weights of each old position at each new one, (factor·length)×length."""
        last = ops.cast(length - 1, "float32")
        place = ops.clip((ops.arange(length * factor, dtype="float32") + 0.5) / factor - 0.5, 0.0, last)
        distance = ops.abs(place[:, None] - ops.arange(length, dtype="float32"))
        return ops.cast(ops.relu(1.0 - distance), dtype)

    @keras.saving.register_keras_serializable("cocoseg")
    class Enlarge(keras.layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            batch, height, width, channels = ops.shape(x)
            tall, wide = height * self.factor, width * self.factor
            if isinstance(tall, int) and isinstance(wide, int):
                return ops.image.resize(x, (tall, wide))
            x = ops.matmul(matrix(height, self.factor, x.dtype), ops.reshape(x, (batch, height, width * channels)))
            x = ops.matmul(matrix(width, self.factor, x.dtype), ops.reshape(x, (batch * tall, width, channels)))
            return ops.reshape(x, (batch, tall, wide, channels))

        def compute_output_shape(self, shape):
            batch, *sides, channels = shape
            return batch, *(side and side * self.factor for side in sides), channels

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    return Enlarge
