"""Every architecture, on what they share; then each on its own."""

import numpy as np
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models import backend, encoder, layers
from cocoseg.models.architectures.class_prior import GRID, ClassPrior
from cocoseg.models.architectures.pixel_classifier import LEVELS, PixelClassifier, bins
from cocoseg.models.registry import build, chosen_encoder, names

PERSON = label_space("person")


@pytest.mark.parametrize("name", names())
def test_a_model_scores_every_class_of_an_image_of_any_size(name):
    space = label_space("supercategories")
    model = build(name, space, 32)
    for height, width in [(33, 47), (100, 31), (1, 9)]:
        scores = model(np.full((height, width, 3), 7, np.uint8))
        assert scores.dtype == np.float32 and scores.ndim == 3
        assert scores.shape[-1] == space.n
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", names())
def test_a_model_is_a_function_of_its_seed(name):
    untrained = encoder.untrained(chosen_encoder(name))
    first, same, other = (build(name, PERSON, 32, seed, untrained).body.arrays for seed in (3, 3, 4))
    for key in first:
        np.testing.assert_array_equal(first[key], same[key])
        assert first[key].ndim < 4 or (first[key] != other[key]).all()


def test_networks_have_less_than_five_million_parameters_and_logits_in_float32():
    for name in ("deeplabv3plus", "fpn", "unet"):
        with backend.policy("mixed_bfloat16"):
            network = build(name, label_space("coco81"), 128).body.network
        assert network.count_params() < 5e6
        assert network.output.dtype == "float32"
        assert {layer.compute_dtype for layer in network.layers} == {"bfloat16", "float32"}


@pytest.mark.parametrize("name", ["deeplabv3plus", "fpn"])
def test_the_encoder_is_a_part_of_the_network(name):
    body = build(name, PERSON, 32, encoder="efficientnet-lite0:random").body
    body.encoder.trainable = False
    frozen = {id(v) for v in body.encoder.variables}
    assert frozen and frozen.isdisjoint(id(v) for v in body.network.trainable_variables)
    assert {id(v) for v in body.network.variables} > frozen


@pytest.mark.parametrize("name", ["efficientnetv2", "mobilenetv3", "resnet50"])
def test_encoders_of_keras_have_features_at_every_stride(name):
    keras = backend.keras()
    image = keras.Input((64, 96, 3))
    taps = encoder.features(f"{name}:random", image, layers.initialiser(0))
    assert [tap.shape[1:3] for tap in taps] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_what_an_encoder_drops_by_chance_follows_from_the_seed():
    def chances(seed):
        image = backend.keras().Input((64, 64, 3))
        taps = encoder.features("efficientnetv2:random", image, layers.initialiser(seed))
        found = [
            layer.seed_generator.state
            for layer in backend.keras().Model(image, taps).layers
            if hasattr(layer, "seed_generator")
        ]
        return np.array(found)

    first, same, other = chances(3), chances(3), chances(4)
    assert len(first) == len(np.unique(first, axis=0)) > 10
    np.testing.assert_array_equal(first, same)
    assert (first != other).any(1).all()


def test_weights_that_cannot_be_downloaded_are_one_line(monkeypatch):
    def offline(*_, **__):
        raise Exception("URL fetch failure on https://…: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(backend.keras().applications, "ResNet50", offline)
    with pytest.raises(UserError, match=r"resnet50 cannot be downloaded; .* efficientnet-lite0, .* resnet50:random"):
        build("deeplabv3plus", PERSON, 32, encoder="resnet50")


@pytest.mark.parametrize(
    "name, asked, message",
    [
        ("unet", "efficientnet-lite0", "unet takes no encoder; got 'efficientnet-lite0'"),
        ("background", "resnet50", "background takes no encoder"),
        ("fpn", "efficientnet-lite", "no encoder 'efficientnet-lite'; did you mean 'efficientnet-lite0'"),
        ("fpn", "resnet:random", "no encoder 'resnet:random'; did you mean 'resnet50'"),
    ],
)
def test_an_encoder_that_a_model_cannot_have_is_refused(name, asked, message):
    with pytest.raises(UserError, match=message):
        build(name, PERSON, 32, encoder=asked)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("known", [(5, 7), (None, None)])
def test_enlarging_is_bilinear_whether_or_not_the_size_is_known(factor, known):
    tf, keras = backend.tensorflow(), backend.keras()
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype(np.float32)
    image = keras.Input((*known, 3))
    network = keras.Model(image, layers.enlarged(image, factor))
    forward = tf.function(network, input_signature=[tf.TensorSpec((None, *known, 3))], autograph=False)
    expected = tf.image.resize(x, (5 * factor, 7 * factor))
    np.testing.assert_allclose(forward(x), expected, atol=1e-6)


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


def test_the_pixel_classifier_counts_colours_and_places():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, 2:] = 200
    label = np.uint8([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0], [255, 255, 255, 255]])
    model = PixelClassifier(2)
    model.fit([label], [image])
    dark, bright = bins(image)[0, [0, 3]]
    assert np.exp(model.likelihood[[dark, bright]]) == pytest.approx(
        np.array([[7, 1], [2, 6]]) / (LEVELS**3 + np.array([7, 5]))
    )
    np.testing.assert_array_equal(model.predict(image, 4).argmax(-1)[:2], label[:2])


def test_the_pixel_classifier_finds_a_class_by_its_colour_alone():
    rng = np.random.default_rng(0)
    images = rng.choice(np.uint8([20, 200]), (41, 16, 20, 3))
    labels = (images[..., 1] > 127).astype(np.uint8)
    model = PixelClassifier(2)
    model.fit(iter(labels[:40]), iter(images[:40]))
    assert (model.predict(images[40], 16).argmax(-1) == labels[40]).mean() > 0.99


def test_the_pixel_classifier_needs_an_image_for_each_label_map():
    with pytest.raises(ValueError, match="zip"):
        PixelClassifier(2).fit([np.zeros((2, 2), np.uint8)], [])
