"""Pictures of label maps show every class in its colour, and errors where they are."""

import numpy as np
import pytest

from cocoseg.drawing import look, pictures, svg
from cocoseg.errors import UserError

CLASSES = ("background", "person", "food")
IMAGE = np.full((4, 6, 3), 100, np.uint8)
TRUTH = np.array([[0, 0, 1, 1, 2, 255]] * 4, np.uint8)


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def test_every_class_has_its_colour_and_background_none():
    row = pictures.coloured(TRUTH, CLASSES)[0]
    colours = look.colours(CLASSES)
    assert row[0].tolist() == [0, 0, 0, 0]
    assert row[2].tolist() == [*rgb(colours["person"]), 255]
    assert row[4].tolist() == [*rgb(colours["food"]), 255]
    assert row[5].tolist() == [*rgb(look.VOID), 255]


def test_an_index_beyond_the_classes_is_refused():
    with pytest.raises(UserError, match="index 3; there are 3 classes"):
        pictures.coloured(np.array([[3]], np.uint8), CLASSES)


def test_an_overlay_leaves_background_and_draws_boundaries_in_full_colour():
    laid = pictures.overlay(IMAGE, np.kron(TRUTH, np.ones((3, 3), np.uint8))[:4, :6], CLASSES)
    assert (laid == IMAGE).all()
    wide = np.zeros((1, 7), np.uint8)
    wide[:, 2:] = 1
    laid = pictures.overlay(np.full((1, 7, 3), 100, np.uint8), wide, CLASSES, opacity=0.5)
    person = np.array(rgb(look.SUPERCATEGORIES["person"]))
    assert laid[0, 1].tolist() == [100, 100, 100]
    assert laid[0, 2].tolist() == person.tolist()
    assert np.abs(laid[0, 5].astype(int) - (100 + person) / 2).max() <= 0.5


def test_image_and_label_map_must_have_one_size():
    with pytest.raises(UserError, match=r"\(4, 6\).*\(2, 2\)"):
        pictures.overlay(IMAGE, np.zeros((2, 2), np.uint8), CLASSES)


def panels(figure):
    return {ax.get_title(loc="left"): ax.images[0].get_array() for ax in figure.axes if ax.images}


def test_a_comparison_marks_errors_and_never_void():
    prediction = TRUTH.copy()
    prediction[0, 0] = 2
    prediction[:, 5] = 0
    shown = panels(pictures.comparison(IMAGE, TRUTH, prediction, CLASSES))
    assert list(shown) == ["image", "truth", "prediction", "errors: 5.0% of pixels"]
    errors = list(shown.values())[3]
    wrong = (errors == rgb(pictures.WRONG)).all(axis=2)
    assert np.argwhere(wrong).tolist() == [[0, 0]]
    assert (errors[:, 5] == rgb(look.VOID)).all()


def test_the_key_names_only_what_is_there():
    figure = pictures.comparison(IMAGE, TRUTH, np.zeros_like(TRUTH), ("background", "person", "food", "animal"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["person", "food", "void", "error"]


def test_an_image_without_labelled_pixels_compares():
    void = np.full((4, 6), 255, np.uint8)
    assert "errors: 0.0% of pixels" in panels(pictures.comparison(IMAGE, void, TRUTH, CLASSES))


def test_large_images_are_thinned_but_keep_their_coordinates():
    large = np.zeros((1200, 900, 3), np.uint8)
    ax = pictures.gallery({"large": large}).axes[0]
    assert max(ax.images[0].get_array().shape) <= pictures.SIDE
    assert ax.images[0].get_extent() == [0, 900, 1200, 0]


def test_a_gallery_of_nothing_is_refused():
    with pytest.raises(UserError, match="at least one picture"):
        pictures.gallery({})


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_images_of_one_pixel_in_a_row_can_be_drawn(shape):
    image = np.zeros((*shape, 3), np.uint8)
    assert "<svg" in svg.of_figure(pictures.gallery({"a": image, "b": image, "c": image}))


def test_polygons_show_every_vertex():
    outlines = [np.array([[0.5, 0.5], [5, 1], [3, 3.5]]), np.array([[1, 1], [2, 1], [2, 2], [1, 2.0]])]
    ax = pictures.polygons(IMAGE, outlines, ["#f46340", "#2c6e80"]).axes[0]
    assert [len(line.get_xdata()) for line in ax.lines] == [3, 4]
    assert ax.get_xlim() == (0, 6) and ax.get_ylim() == (4, 0)


SQUARE = np.array([[1, 1], [5, 1], [5, 3], [1, 3.0]])
MASK = np.zeros((4, 6), bool)
MASK[1:3, 1:5] = True
MASK[1, 3] = False


def test_encodings_count_vertices_pixels_and_runs():
    figure = pictures.encodings(IMAGE, MASK, [SQUARE], "#f46340")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["4 vertices", "7 pixels", "4 runs, by column"]
    starts = [tuple(map(float, run[0])) for run in figure.axes[2].collections[0].get_segments()]
    assert starts == [(1.5, 1.12), (2.5, 1.12), (3.5, 2.12), (4.5, 1.12)]


def test_a_column_with_a_gap_has_two_runs():
    gap = np.array([[1], [0], [1]], bool)
    figure = pictures.encodings(np.zeros((3, 1, 3), np.uint8), gap, [], "#f46340")
    assert figure.axes[2].get_title(loc="left") == "2 runs, by column"


def test_an_anatomy_shows_parts_holes_hull_and_disc():
    parts, holes = np.zeros((4, 6), np.int32), np.zeros((4, 6), np.int32)
    parts[:, :3], parts[:, 4], holes[1, 1] = 1, 2, 1
    parts[1, 1] = 0
    figure = pictures.anatomy(IMAGE, parts, holes, SQUARE, (1.5, 2.5, 1.0), "#f46340")
    assert list(panels(figure)) == [
        "image",
        "parts: 2, holes: 1",
        "box and convex hull (dashed)",
        "largest disc: 2.0 px",
    ]
    split = panels(figure)["parts: 2, holes: 1"]
    assert split[0, 0].tolist() == [*rgb("#f46340"), 255] and split[0, 4].tolist() != split[0, 0].tolist()
    assert split[1, 1].tolist() == [*rgb(pictures.WRONG), 255] and split[0, 3, 3] == 0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["part 1", "part 2", "hole"]


def test_simplified_outlines_lie_over_those_drawn():
    figure = pictures.simplified(IMAGE, [SQUARE], {"half": [SQUARE[::2]], "all": [SQUARE]}, "#f46340", columns=2)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["half", "all"]
    drawn, left = figure.axes[0].lines
    assert len(drawn.get_xdata()) == 5 and len(left.get_xdata()) == 2


def test_a_ramp_colours_numbers_and_leaves_zero_transparent():
    assert pictures.ramp(np.array([[0, 1]]), ["#010203"]).tolist() == [[[0, 0, 0, 0], [1, 2, 3, 255]]]
