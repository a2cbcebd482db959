"""A network that is trained in a moment: an encoder of one convolution with normalisation, and a decoder of another."""

from cocoseg.models import backend
from cocoseg.models.network import Network
from cocoseg.models.registry import Model
from cocoseg.models.registry import build as registered


def build(name, space, size, seed=0, encoder=""):
    """As `cocoseg.models.registry.build`, with one more name: `tiny`."""
    if name != "tiny":
        return registered(name, space, size, seed, encoder)
    keras = backend.keras()
    layers, start = keras.layers, keras.initializers.HeNormal(keras.random.SeedGenerator(seed))
    image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.Conv2D(8, 3, 2, padding="same", kernel_initializer=start)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    encoded = keras.Model(image, x)
    logits = layers.Conv2D(space.n, 3, padding="same", kernel_initializer=start, dtype="float32")(
        layers.UpSampling2D()(x)
    )
    return Model(name, space, size, Network(keras.Model(image, logits), encoded), encoder)
