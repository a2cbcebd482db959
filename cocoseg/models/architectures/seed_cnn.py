"""The network of the original notebook: eleven 3×3 convolutions that see the image at three scales.

Two poolings down, two upsamplings back, no skip connections: 64-64, pool, 128-128, pool, 256-256, up, 128-128, up,
64-64, classes.
"""

from cocoseg.models import backend
from cocoseg.models.network import Network


def build(n: int, seed: int) -> Network:
    """Images in, logits of n classes out, at the same size."""
    keras = backend.keras()

    layers = keras.layers
    start = keras.initializers.HeNormal(keras.random.SeedGenerator(seed))

    def block(x, channels):
        for _ in range(2):
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", kernel_initializer=start)(x)
        return x

    image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.MaxPooling2D()(block(x, 64))
    x = layers.MaxPooling2D()(block(x, 128))
    x = layers.UpSampling2D()(block(x, 256))
    x = layers.UpSampling2D()(block(x, 128))
    logits = layers.Conv2D(n, 3, padding="same", kernel_initializer=start, dtype="float32")(block(x, 64))
    return Network(keras.Model(image, logits))
