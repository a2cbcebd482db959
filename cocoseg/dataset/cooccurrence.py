"""Which categories occur in the same images, and which predicts which.

All functions take `presence`: one row per image and label that occurs in it. A label is the name of a category or
of a supercategory; categories that share a name are one label. The image is the unit: a pair occurs together once
per image, however many instances there are.
"""

import numpy as np
import polars as pl
from scipy import sparse
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from cocoseg.dataset.proportions import false_discovery, independence, wilson

DRAWS = 1000


def presence(contents: pl.DataFrame, categories: pl.DataFrame, by: str = "name") -> pl.DataFrame:
    """The labels of each image: `image_id` i64, `label` str, each pair once.

    Args:
        contents: `categories.contents(coco)`; crowds count as presence.
        by: the column of `categories` that labels: 'name' or 'supercategory'.
    """
    named = categories.select("category_id", pl.col(by).alias("label"))
    return contents.join(named, on="category_id").select("image_id", "label").unique().sort("image_id", "label")


def pairs(presence: pl.DataFrame, images: int, *, seed: int = 0) -> pl.DataFrame:
    r"""Every two labels that occur at all, `first` before `second` by name.

    With $N$ images, $n_a$ and $n_b$ of them holding each label and $n_{ab}$ both:

    - `lift` $= n_{ab} N / (n_a n_b)$: how many times more often together than if independent.
    - `pmi` $= \log_2$ lift, pointwise mutual information in bits (Church and Hanks 1990); null if never together.
    - `npmi` = pmi / $-\log_2(n_{ab}/N)$, −1 never, 0 independent, 1 only together (Bouma 2009).
    - `lift_low`, `lift_high`, `pmi_low`, `pmi_high`: 95 % interval. An image is a draw from four outcomes (both,
      only a, only b, neither) with the Jeffreys prior Dirichlet(½, ½, ½, ½); the interval is between the 2.5 and
      97.5 % quantiles of the lift in 1,000 draws from its posterior, from 0 if the two never meet. (The delta
      method covers the truth in less than half of the cases for rare pairs; this one in 92–98 %.)
    - `p`: of independence given the margins, twice the smaller tail of the hypergeometric distribution (Fisher's
      exact test); `q`: the same after Benjamini and Hochberg over all pairs, the share of false finds among the
      pairs with a q at least as small.

    Args:
        images: N, all images of the dataset, also those without annotations.

    Returns:
        `first`, `second` str, `images_first`, `images_second`, `images_both` i64, and the measures, f64.

    >>> held = pl.DataFrame({"image_id": [1, 1, 2, 2, 3], "label": ["fork", "knife", "fork", "knife", "cat"]})
    >>> pairs(held, 4).select("first", "second", "images_both", "lift", "npmi").rows()
    [('cat', 'fork', 0, 0.0, -1.0), ('cat', 'knife', 0, 0.0, -1.0), ('fork', 'knife', 2, 2.0, 1.0)]
    """
    labels, together = _together(presence)
    a, b = np.triu_indices(len(labels), 1)
    alone = np.diag(together)
    n_a, n_b, n_ab = alone[a], alone[b], together[a, b]
    low, high = _lift_interval(n_a, n_b, n_ab, images, seed)
    p = independence(n_ab, n_a, n_b, images)
    table = pl.DataFrame(
        {
            "first": labels[a],
            "second": labels[b],
            "images_first": n_a,
            "images_second": n_b,
            "images_both": n_ab,
            "lift": n_ab * images / (n_a * n_b),
            "lift_low": low,
            "lift_high": high,
            "p": p,
            "q": false_discovery(p),
        },
        schema={
            **dict.fromkeys(("first", "second"), pl.String),
            **dict.fromkeys(("images_first", "images_second", "images_both"), pl.Int64),
            **dict.fromkeys(("lift", "lift_low", "lift_high", "p", "q"), pl.Float64),
        },
    )
    bits = {name: pl.when(pl.col(name) > 0).then(pl.col(name).log(2)) for name in ("lift", "lift_low", "lift_high")}
    # Two labels that are in every image are always together and independent: 0 / 0, said to be 0.
    surprise = -(pl.col("images_both") / images).log(2)
    npmi = (
        pl.when(pl.col("images_both") == 0)
        .then(-1.0)
        .when(pl.col("images_both") == images)
        .then(0.0)
        .otherwise((bits["lift"] / surprise).clip(-1, 1))  # rounding takes two that only occur together past 1
    )
    return table.select(
        "first",
        "second",
        "images_first",
        "images_second",
        "images_both",
        "lift",
        "lift_low",
        "lift_high",
        pmi=bits["lift"],
        pmi_low=bits["lift_low"],
        pmi_high=bits["lift_high"],
        npmi=npmi,
        p="p",
        q="q",
    )


def order(pairs: pl.DataFrame) -> pl.DataFrame:
    """The labels in an order that puts those that occur together side by side.

    Average linkage of the distance (1 − npmi) / 2 and the optimal leaf ordering of its tree (Bar-Joseph, Gifford and
    Jaakkola 2001), by SciPy.

    Args:
        pairs: `pairs(…)`.

    Returns:
        `label` str, `position` i64 from 0, by position. Labels without a partner, and labels that never occur, have
        no pair and no position.
    """
    labels = np.unique(np.concatenate([pairs["first"].to_numpy(), pairs["second"].to_numpy()]))
    if len(labels) < 2:
        return pl.DataFrame(schema={"label": pl.String, "position": pl.Int64})
    square = np.zeros((len(labels), len(labels)))
    i, j = (np.searchsorted(labels, pairs[name].to_numpy()) for name in ("first", "second"))
    square[i, j] = square[j, i] = (1 - pairs["npmi"].to_numpy()) / 2
    distance = squareform(square)
    leaves = leaves_list(linkage(distance, "average", optimal_ordering=True))
    return pl.DataFrame(
        {"label": labels[leaves], "position": np.arange(len(labels))},
        schema={"label": pl.String, "position": pl.Int64},
    )


def predictions(presence: pl.DataFrame, images: int) -> pl.DataFrame:
    r"""Which label predicts which: one row per ordered pair of labels.

    - `probability` $= P(\text{target} \mid \text{given}) = n_{ab} / n_a$, with `low`, `high`, its 95 % interval
      (Wilson 1927); `base` $= P(\text{target}) = n_b / N$.
    - `uncertainty`: the share of the target's entropy that knowing the given removes,
      $I(a; b) / H(b)$ (Theil's uncertainty coefficient, 1970); 0 tells nothing, 1 tells all. It also rewards a label
      that predicts absence, and is 0 for a target that is in every image.

    Returns:
        `given`, `target` str, `images_given`, `images_both` i64, `probability`, `low`, `high`, `base`,
        `uncertainty` f64.

    >>> held = pl.DataFrame({"image_id": [1, 1, 2, 3], "label": ["bat", "person", "person", "person"]})
    >>> predictions(held, 4).select("given", "target", "probability", "base").rows()
    [('bat', 'person', 1.0, 0.75), ('person', 'bat', 0.3333333333333333, 0.25)]
    """
    labels, together = _together(presence)
    a, b = np.nonzero(~np.eye(len(labels), dtype=bool))
    alone = np.diag(together)
    n_a, n_b, n_ab = alone[a], alone[b], together[a, b]
    low, high = wilson(n_ab, n_a)
    return pl.DataFrame(
        {
            "given": labels[a],
            "target": labels[b],
            "images_given": n_a,
            "images_both": n_ab,
            "probability": n_ab / n_a,
            "low": low,
            "high": high,
            "base": n_b / images,
            "uncertainty": _uncertainty(n_a, n_b, n_ab, images),
        },
        schema={
            **dict.fromkeys(("given", "target"), pl.String),
            **dict.fromkeys(("images_given", "images_both"), pl.Int64),
            **dict.fromkeys(("probability", "low", "high", "base", "uncertainty"), pl.Float64),
        },
    )


def _together(presence: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The labels, and in how many images each two occur (the diagonal: each alone), i64 K×K."""
    labels, column = np.unique(presence["label"].to_numpy(), return_inverse=True)
    ids, row = np.unique(presence["image_id"].to_numpy(), return_inverse=True)
    incidence = sparse.csr_array((np.ones(len(row), np.int64), (row, column)), shape=(len(ids), len(labels)))
    return labels, (incidence.T @ incidence).toarray()


def _lift_interval(n_a, n_b, n_ab, images, seed) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    low, high = np.empty(len(n_ab)), np.empty(len(n_ab))
    cells = np.stack([n_ab, n_a - n_ab, n_b - n_ab, images - n_a - n_b + n_ab], axis=1) + 0.5
    for start in range(0, len(cells), 1000):
        part = slice(start, start + 1000)
        shape = (len(cells[part]), DRAWS, 4)
        both, only_a, only_b, neither = np.moveaxis(random.standard_gamma(cells[part, None], shape), 2, 0)
        lift = both * (both + only_a + only_b + neither) / ((both + only_a) * (both + only_b))
        low[part], high[part] = np.quantile(lift, [0.025, 0.975], axis=1)
    return np.where(n_ab > 0, low, 0), high


def _uncertainty(n_a, n_b, n_ab, images) -> np.ndarray:
    cells = np.stack([n_ab, n_a - n_ab, n_b - n_ab, images - n_a - n_b + n_ab], axis=-1) / images
    p_a, p_b = n_a / images, n_b / images

    def entropy(*p):
        p = np.stack(p, axis=-1)
        return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(-1)

    target = entropy(p_b, 1 - p_b)
    information = entropy(p_a, 1 - p_a) + target - entropy(*np.moveaxis(cells, -1, 0))
    return np.divide(np.maximum(information, 0), target, out=np.zeros_like(target), where=target > 0)
