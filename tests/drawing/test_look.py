"""One look: colours that can be told apart, on light and dark pages, by everybody."""

import itertools

import altair as alt
import matplotlib
import numpy as np
import polars as pl
import pytest
import vl_convert
from skimage.color import deltaE_ciede2000, rgb2lab

from cocoseg.coco.label_space import label_space
from cocoseg.drawing import look

MODES = {"light": look.LIGHT, "dark": look.DARK}
CLASSES = list(look.SUPERCATEGORIES.values())
# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
# severity 1.0, in linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def linear(c):
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted(float(linear(rgb(c)) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def seen_by(colours, blindness=None):
    values = np.array([rgb(c) for c in colours])
    if blindness:
        mixed = np.clip(linear(values) @ np.array(BLINDNESS[blindness]).T, 0, 1)
        values = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return rgb2lab(values)


def test_the_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_supercategory_of_coco_has_a_colour_in_cocos_order():
    assert tuple(look.SUPERCATEGORIES) == label_space("supercategories").classes[1:]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("colour", [*CLASSES, look.BACKGROUND])
def test_class_colours_stand_out_from_the_page(colour, mode):
    assert contrast(colour, MODES[mode]["paper"]) >= 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_text_can_be_read(mode, ink, ground):
    assert contrast(MODES[mode][ink], MODES[mode][ground]) >= 4.5


def test_class_colours_differ():
    lab = seen_by(CLASSES)
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) >= 14


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_class_colours_differ_for_the_colour_blind(blindness):
    lab = seen_by(CLASSES, blindness)
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) >= 7
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.pairwise(lab)) >= 12


@pytest.mark.parametrize("mode, sign", [("light", -1), ("dark", 1)])
def test_the_sequential_ramp_leads_away_from_the_page_in_even_steps(mode, sign):
    steps = sign * np.diff(seen_by(look.SEQUENTIAL[mode])[:, 0])
    assert steps.min() > 4
    assert steps.max() < 3 * steps.min()


@pytest.mark.parametrize("mode, sign", [("light", -1), ("dark", 1)])
def test_the_diverging_ramp_is_faintest_in_the_middle_and_balanced(mode, sign):
    lightness = sign * seen_by(look.DIVERGING[mode])[:, 0]
    assert np.argmin(lightness) == 3
    assert (np.diff(lightness[3:]) > 4).all() and (np.diff(lightness[:4]) < -4).all()
    assert np.abs(lightness - lightness[::-1]).max() < 8


@pytest.mark.parametrize("name", ["person", "supercategories", "voc21", "coco81"])
def test_a_label_space_gets_one_colour_per_class(name):
    space = label_space(name)
    colours = look.colours(space.classes)
    assert tuple(colours) == space.classes
    assert len(set(colours.values())) == space.n


def test_classes_of_a_supercategory_are_shades_of_its_colour():
    space = label_space("coco81")
    colours = look.colours(space.classes)
    for name, supercategory in look.OF_CATEGORY.items():
        if name in colours and supercategory != "person":
            middle = seen_by([look.SUPERCATEGORIES[supercategory]])[0]
            shade = seen_by([colours[name]])[0]
            assert abs(shade[0] - middle[0]) < 25


def test_voc_names_have_the_colours_of_the_same_things():
    assert look.colours(["aeroplane"]) == {"aeroplane": look.SUPERCATEGORIES["vehicle"]}


def test_own_classes_go_by_their_own_supercategories_or_take_the_colours_in_turn():
    assert look.colours(["cog"], {"cog": "electronic"}) == {"cog": look.SUPERCATEGORIES["electronic"]}
    many = look.colours([f"part {i}" for i in range(30)])
    assert len(set(many.values())) == 30


@pytest.mark.parametrize("mode", MODES)
def test_the_charts_theme_is_one_that_vega_draws(mode):
    chart = alt.Chart(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})).mark_bar().encode(x="a", y="b", color="b")
    svg = vl_convert.vegalite_to_svg(chart.to_dict(), config=look.vega(mode))
    assert MODES[mode]["line"] in svg and look.SUPERCATEGORIES["person"] in svg


def test_the_pictures_theme_is_one_that_matplotlib_takes():
    with matplotlib.rc_context(look.matplotlib()):
        assert matplotlib.rcParams["text.color"] == look.LIGHT["ink"]


def test_dark_partners_are_unambiguous():
    ramps = [*look.SEQUENTIAL["light"], *look.DIVERGING["light"]]
    lights = [*look.LIGHT.values(), *ramps]
    assert len(set(lights)) == len(lights) == len(look.swaps())
    assert not set(CLASSES) & set(lights)
    assert look.LIGHT.keys() == look.DARK.keys()


def test_the_page_knows_every_colour():
    css = look.css()
    assert css.count("--cs-ink:") == 2
    assert all(f"--cs-{name}: {colour};" in css for name, colour in look.SUPERCATEGORIES.items())
