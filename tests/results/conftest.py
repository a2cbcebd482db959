"""Label maps to measure on: made up but shaped like segmentations, and real."""

import cv2
import numpy as np
import pytest

from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read


def blobby(rng, n, shape=(120, 160)):
    """A smooth random label map (uint8) of n classes."""
    fields = rng.standard_normal((n, 6, 8)).astype(np.float32)
    fields[0] += 0.8
    size = shape[::-1]
    return np.argmax([cv2.resize(f, size, interpolation=cv2.INTER_CUBIC) for f in fields], 0).astype(np.uint8)


@pytest.fixture
def blobs():
    """(truth, prediction) uint8 120×160: a shifted truth with another one's patch; void in a corner of the truth."""

    def make(n=5, seed=0, void=True):
        rng = np.random.default_rng(seed)
        truth, other = blobby(rng, n), blobby(rng, n)
        prediction = np.roll(truth, (2, -1), (0, 1))
        prediction[30:70, 50:90] = other[30:70, 50:90]
        truth = truth.copy()
        if void:
            truth[:25, :20] = VOID
            truth[80:90, 100:130] = VOID
        return truth, prediction

    return make


@pytest.fixture(scope="session")
def real_maps(instances):
    """(truth, prediction) of twelve COCO images with 81 classes: the prediction is the truth, shifted."""
    coco = read(instances.annotations("val2017"))
    few = coco.of_images(coco.images["image_id"].sort().head(12))
    truths = [labels for _, labels in label_maps(few, label_space("coco81"))]
    return [(truth, np.where(np.roll(truth, 3, 1) == VOID, 0, np.roll(truth, 3, 1))) for truth in truths]


@pytest.fixture(scope="session")
def person_maps(person):
    """(truth, prediction) of six COCO images with a person and no crowd: the prediction is the truth, shifted."""
    coco = read(person.annotations("minival"))
    few = coco.of_images(coco.images["image_id"].sort().head(30))
    truths = [labels for _, labels in label_maps(few, label_space("person")) if set(np.unique(labels)) == {0, 1}]
    return [(truth, np.roll(truth, 3, 1)) for truth in truths[:6]]
