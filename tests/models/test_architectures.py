"""Every architecture, on what they share; then each on its own."""

import numpy as np
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models.architectures.class_prior import GRID, ClassPrior
from cocoseg.models.registry import build, names

PERSON = label_space("person")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("space", ["person", "supercategories"])
def test_a_model_scores_every_class_of_an_image_of_any_size(name, space):
    model = build(name, label_space(space), 32)
    for height, width in [(33, 47), (100, 31), (1, 9)]:
        scores = model(np.full((height, width, 3), 7, np.uint8))
        assert scores.dtype == np.float32 and scores.ndim == 3
        assert scores.shape[-1] == label_space(space).n
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", names())
def test_a_model_is_a_function_of_its_seed(name):
    image = np.random.default_rng(0).integers(0, 255, (32, 40, 3), np.uint8)
    same = [build(name, PERSON, 32, seed=3)(image) for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_another_seed_draws_other_weights():
    first, second = (build("seed-cnn", PERSON, 32, seed).body.arrays["000"] for seed in (0, 1))
    assert (first != second).all()


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'seed-cnn'"):
        build("seedcnn", PERSON, 32)


def test_a_size_must_be_positive():
    with pytest.raises(UserError, match="at least 1; got 0"):
        build("background", PERSON, 0)


def test_the_original_network_is_eleven_3x3_convolutions():
    network = build("seed-cnn", label_space("voc21"), 32).body.network
    kernels = [layer.kernel.shape for layer in network.layers if "conv" in layer.name]
    assert [k[:2] for k in kernels] == [(3, 3)] * 11
    assert [k[3] for k in kernels] == [64, 64, 128, 128, 256, 256, 128, 128, 64, 64, 21]


def test_the_class_prior_is_the_share_of_each_class_in_each_cell():
    label = np.zeros((GRID * 2, GRID * 3), np.uint8)
    label[:GRID, :] = 1  # the upper half
    label[:2, :3] = [[1, 0, 0], [255, 255, 0]]  # the first cell: one pixel of 1, three of 0, two void
    prior = ClassPrior(2)
    prior.fit([label])
    shares = prior.predict(np.zeros((9, 9, 3), np.uint8), 128)
    assert shares[0, 0, 1] == np.float32(1 / 4)
    assert (shares[1 : GRID // 2, :, 1] == 1).all() and (shares[GRID // 2 :, :, 0] == 1).all()


@pytest.mark.parametrize("height, width", [(1, 1), (7, 200), (63, 65), (480, 640)])
def test_the_class_prior_conserves_area_at_any_size(height, width):
    label = np.random.default_rng(0).integers(0, 3, (height, width), np.uint8)
    prior = ClassPrior(3)
    prior.fit([label])
    expected = np.bincount(label.ravel(), minlength=3) / label.size
    np.testing.assert_allclose(prior.arrays["frequency"].mean((0, 1), np.float64), expected, atol=1e-6)


def test_a_cell_that_is_always_void_gets_the_shares_of_the_whole():
    label = np.full((GRID, GRID), 255, np.uint8)
    label[0, :4] = [0, 0, 0, 1]
    prior = ClassPrior(2)
    prior.fit([label])
    assert prior.arrays["frequency"][-1, -1].tolist() == [0.75, 0.25]


def test_a_dataset_that_is_all_void_has_no_preference():
    prior = ClassPrior(4)
    prior.fit([np.full((8, 8), 255, np.uint8)])
    assert (prior.arrays["frequency"] == 0.25).all()
