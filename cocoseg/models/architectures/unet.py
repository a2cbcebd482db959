"""U-Net: down to coarse features and back, each scale on the way up sees that scale on the way down.

Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, with padded convolutions, batch normalisation, and a quarter of its
channels.
"""

from cocoseg.models import backend, layers
from cocoseg.models.network import Network

CHANNELS = (16, 32, 64, 128, 256)


def build(n: int, seed: int) -> Network:
    """Images in, logits of n classes out, at the same size."""
    keras = backend.keras()
    start = layers.initialiser(seed)

    def block(x, channels):
        for _ in range(2):
            x = layers.convolution(x, channels, 3, start)
        return x

    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    *fine, coarsest = CHANNELS
    passed = []
    for channels in fine:
        x = block(x, channels)
        passed.append(x)
        x = keras.layers.MaxPooling2D()(x)
    x = block(x, coarsest)
    for channels in reversed(fine):
        x = keras.layers.Conv2DTranspose(channels, 2, strides=2, kernel_initializer=start)(x)
        x = block(keras.layers.Concatenate()([passed.pop(), x]), channels)
    # Small weights here, as over a trained encoder, would let next to no gradient through to layers that know nothing.
    last = keras.initializers.GlorotNormal(start.seed)
    logits = keras.layers.Conv2D(n, 1, kernel_initializer=last, dtype="float32")(x)
    return Network(keras.Model(image, logits))
