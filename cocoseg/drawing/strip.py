"""Pictures in a row, light enough for a page of many: pixels as WebP, words as text."""

import html
import io
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PIL import Image

from cocoseg.drawing import look
from cocoseg.drawing.pictures import VOID, mistaken, overlay

SIDE = 440  # px; a panel is shown smaller until it is enlarged


def strip(panels: Mapping[str, np.ndarray], key: Mapping[str, str] | None = None) -> str:
    """Images (RGB, uint8 H×W×3) side by side under their names, with a key of colours, as HTML.

    A name is what somebody reads who cannot see the panel. `book/_assets/results.js` enlarges a strip that is clicked.

    >>> black = np.zeros((2, 3, 3), np.uint8)
    >>> strip({"photo": black})[:112]
    '<div class="cs-strip"><div><figure><img loading="lazy" class="dark-light" width="3" height="2" alt="photo" src="'
    """
    figures = "".join(_panel(name, image) for name, image in panels.items())
    chips = "".join(
        f'<span style="--cs-chip:{colour}">{html.escape(name)}</span>' for name, colour in (key or {}).items()
    )
    return f'<div class="cs-strip"><div>{figures}</div>{f"<p>{chips}</p>" if chips else ""}</div>'


def labelled(
    photo, truth, predictions: Mapping[str, np.ndarray], classes, *, errors: bool = False, supercategories=None
) -> str:
    """A photo, its true label map and predicted ones (uint8 H×W, named) laid over it, as a strip.

    With `errors` there is a panel after each prediction that shows where it differs from the truth
    (`cocoseg.drawing.pictures.mistaken`). The key has the classes that occur.
    """

    def over(label_map):
        return overlay(photo, label_map, classes, supercategories=supercategories)

    panels = {"photo": photo, "truth": over(truth)}
    for name, prediction in predictions.items():
        panels[name] = over(prediction)
        if errors:
            panels["errors" if len(predictions) == 1 else f"errors of {name}"] = mistaken(photo, truth, prediction)
    present = np.unique(np.concatenate([np.unique(m) for m in (truth, *predictions.values())]))
    shades = look.colours(classes, supercategories)
    key = {name: shades[name] for i, name in enumerate(classes) if i and i in present}
    return strip(panels, key | ({"void": look.VOID} if VOID in present else {}))


def compared(models: Sequence[str], images: Iterable[tuple[str, str, Sequence[float]]]) -> str:
    """Strips of several images, of which a reader chooses the two models whose predictions are shown, as HTML.

    Each image has a name, its `labelled` strip with a prediction of every model, and the score of each. Without
    `book/_assets/results.js` all predictions are shown.

    >>> compared(["a", "b"], [("image 1", "<div></div>", [0.5, 0.25])])
    '<ol class="cs-strips" data-models="[&quot;a&quot;, &quot;b&quot;]"><li data-scores="[0.5, 0.25]"><p>image 1</p>...
    """
    items = "".join(
        f'<li data-scores="{_attribute(scores)}"><p>{html.escape(name)}</p>{drawn}</li>'
        for name, drawn, scores in images
    )
    return f'<ol class="cs-strips" data-models="{_attribute(models)}">{items}</ol>'


def _attribute(values: Sequence[str] | Sequence[float]) -> str:
    return html.escape(json.dumps(list(values)))


def _panel(name: str, image: np.ndarray) -> str:
    picture, words = Image.fromarray(image), html.escape(name)
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=78)
    data = b64encode(file.getvalue()).decode()
    size = f'width="{picture.width}" height="{picture.height}"'
    shown = f'<img loading="lazy" class="dark-light" {size} alt="{words}" src="data:image/webp;base64,{data}">'
    return f"<figure>{shown}<figcaption>{words}</figcaption></figure>"
