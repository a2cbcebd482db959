"""DeepLabV3+: context at several dilations, then a decoder that sees fine features.

Chen et al., "Encoder-decoder with atrous separable convolution for semantic image segmentation", ECCV 2018, at half its
width. The encoder's output stride is 16 px. Image-level features are added to the others after the 1×1 convolution
that mixes them; the paper concatenates them before it, which computes the same in more operations. They are not
normalised: a batch has one position of them for each image.
"""

from cocoseg.models import backend, layers
from cocoseg.models.encoder import features
from cocoseg.models.network import Network

CHANNELS = 128
FINE_CHANNELS = 48
RATES = (3, 6, 9)


def build(n: int, seed: int, encoder: str = "efficientnet-lite0") -> Network:
    """Images in, logits of n classes out, at the same size."""
    keras = backend.keras()
    start = layers.initialiser(seed)
    image = keras.Input((None, None, 3))
    taps = features(encoder, image, start, stride=16)

    def mixed(x):
        return keras.layers.Conv2D(CHANNELS, 1, use_bias=False, kernel_initializer=start)(x)

    coarse = taps[-1]
    branches = [layers.convolution(coarse, CHANNELS, 1, start)]
    branches += [layers.separable(coarse, CHANNELS, 3, start, rate) for rate in RATES]
    everywhere = keras.layers.GlobalAveragePooling2D(keepdims=True)(coarse)
    everywhere = keras.layers.Conv2D(CHANNELS, 1, activation="relu", kernel_initializer=start)(everywhere)
    x = keras.layers.Add()([mixed(keras.layers.Concatenate()(branches)), mixed(everywhere)])
    x = layers.enlarged(layers.rectified(x), 4)

    fine = layers.convolution(taps[0], FINE_CHANNELS, 1, start)
    x = keras.layers.Concatenate()([x, fine])
    for _ in range(2):
        x = layers.separable(x, CHANNELS, 3, start)
    return Network(keras.Model(image, layers.logits(x, n, start, 4)), keras.Model(image, taps))
