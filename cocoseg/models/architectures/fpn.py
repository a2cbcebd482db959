"""A feature pyramid: coarse features come down to fine ones, and all of them are seen at a quarter of the size.

Lin et al., "Feature pyramid networks for object detection", CVPR 2017, with the segmentation branch of Kirillov et al.,
"Panoptic feature pyramid networks", CVPR 2019, at half its width and with batch in place of group normalisation.
"""

from cocoseg.models import backend, layers
from cocoseg.models.encoder import features
from cocoseg.models.network import Network

PYRAMID = 128
CHANNELS = 64


def build(n: int, seed: int, encoder: str = "efficientnet-lite0") -> Network:
    """Images in, logits of n classes out, at the same size."""
    keras = backend.keras()
    start = layers.initialiser(seed)
    image = keras.Input((None, None, 3))
    taps = features(encoder, image, start)

    lateral = [keras.layers.Conv2D(PYRAMID, 1, kernel_initializer=start)(x) for x in taps]
    x, levels = lateral.pop(), []
    for finer in [*reversed(lateral), None]:
        levels.append(keras.layers.Conv2D(CHANNELS, 3, padding="same", kernel_initializer=start)(x))
        if finer is not None:
            x = keras.layers.Add()([keras.layers.UpSampling2D()(x), finer])

    seen = []
    for doublings, x in zip(reversed(range(len(levels))), levels, strict=True):
        x = layers.convolution(x, CHANNELS, 3, start)
        for i in range(doublings):
            x = layers.convolution(x, CHANNELS, 3, start) if i else x
            x = layers.enlarged(x, 2)
        seen.append(x)
    return Network(keras.Model(image, layers.logits(keras.layers.Add()(seen), n, start, 4)), keras.Model(image, taps))
