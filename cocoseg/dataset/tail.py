"""The long tail: how unevenly a quantity is spread over categories or classes.

Every function takes a table with one row per category or class and the names of its count columns
(`images`, `instances`, `pixels`). Rows that are zero belong to the distribution: a class that never occurs is
the end of the tail.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from scipy import sparse, stats

QUANTITIES = ("images", "instances", "pixels")
UNEVEN = ("gini", "effective_entropy", "effective_simpson", "top_1", "top_5", "top_10")
DRAWS = 500


def tail(counts: pl.DataFrame, quantities: Sequence[str] = QUANTITIES) -> pl.DataFrame:
    r"""One row per quantity: how uneven it is.

    With $K$ rows, counts $x_i$ and shares $p_i = x_i / \sum x$:

    - `gini`: $\sum_i (2i - K - 1)\, x_{(i)} / (K \sum x)$ over the counts in ascending order; 0 when all are
      equal, $1 - 1/K$ when one row holds everything (Gini 1912).
    - `effective_entropy`: $\exp(-\sum p_i \ln p_i)$, the Hill number of order 1; `effective_simpson`:
      $1 / \sum p_i^2$, of order 2 (Hill 1973). The number of equally frequent rows that would be as diverse.
    - `top_1`, `top_5`, `top_10`: share of the largest rows; `half`: how many of the largest hold half.
    - `imbalance`: largest count over smallest non-zero count (Cui et al. 2019).

    Returns:
        `quantity` str, `total` i64, `classes` i64 (rows), `absent` i64 (rows with zero), then the measures above
        (f64; `half` i64), null where the total is zero.

    >>> tail(pl.DataFrame({"instances": [6, 1, 1, 0]}), ["instances"]).select("gini", "top_1", "half").row(0)
    (0.5625, 0.75, 1)
    """
    return pl.DataFrame(
        [{"quantity": name, **_measures(counts[name].to_numpy())} for name in quantities],
        schema={
            "quantity": pl.String,
            **dict.fromkeys(("total", "classes", "absent"), pl.Int64),
            **dict.fromkeys(("gini", "effective_entropy", "effective_simpson"), pl.Float64),
            **dict.fromkeys(("top_1", "top_5", "top_10"), pl.Float64),
            "half": pl.Int64,
            "imbalance": pl.Float64,
        },
    )


def intervals(
    held: pl.DataFrame, classes: int, quantities: Sequence[str] = QUANTITIES, *, draws: int = DRAWS, seed: int = 0
) -> pl.DataFrame:
    """How far the measures of `tail` would move with other images: 95 % bootstrap intervals over images.

    Each draw weighs every image by a number from the Poisson distribution with mean 1 (Hanley and MacGibbon 2006). In
    drawn sets classes are more unequal than in the set that they are drawn from, as that one is against all images;
    the basic interval, twice the estimate less the quantiles of the draws, takes this off (Davison and Hinkley 1997,
    section 5.2).

    Args:
        held: one row per image and class that it holds: `image_id`, `class` 1…`classes`, and the counts.
        classes: K, also those that never occur.

    Returns:
        `quantity` str, `measure` str (a column of `tail`), `estimate`, `low`, `high` f64; no rows for a quantity whose
        total is zero.
    """
    ids, row = np.unique(held["image_id"].to_numpy(), return_inverse=True)
    column = held["class"].to_numpy().astype(np.int64) - 1
    counts = {
        name: sparse.csr_array((held[name].cast(pl.Float64).to_numpy(), (row, column)), shape=(len(ids), classes))
        for name in quantities
        if held[name].sum() > 0
    }
    random = np.random.default_rng(seed)
    drawn = {name: [] for name in counts}
    for start in range(0, draws, most := max(1, 10_000_000 // max(len(ids), 1))):
        weights = random.poisson(1, (min(most, draws - start), len(ids))).astype(np.float64)
        for name, of_images in counts.items():
            sums = (of_images.T @ weights.T).T
            drawn[name] += [_measures(values) for values in sums if values.sum() > 0]
    rows = []
    for name, of_images in counts.items():
        estimate = _measures(of_images.sum(0))
        for measure in UNEVEN:
            least, most = (1, classes) if measure.startswith("effective") else (0, 1)
            ends = np.quantile([draw[measure] for draw in drawn[name]], [0.975, 0.025])
            rows.append(
                (name, measure, estimate[measure], *np.clip(2 * estimate[measure] - ends, least, most).tolist())
            )
    schema = {
        **dict.fromkeys(("quantity", "measure"), pl.String),
        **dict.fromkeys(("estimate", "low", "high"), pl.Float64),
    }
    return pl.DataFrame(rows, schema, orient="row")


def lorenz(counts: pl.DataFrame, quantities: Sequence[str] = QUANTITIES) -> pl.DataFrame:
    """The Lorenz curve of each quantity (Lorenz 1905): the poorest share of rows holds which share of the total.

    Returns:
        `quantity` str, `rows` i64 (0…K), `classes` f64 (share of the rows, poorest first), `share` f64 (what they
        hold). A quantity whose total is zero has no curve.

    >>> lorenz(pl.DataFrame({"pixels": [3, 1]}), ["pixels"])["share"].to_list()
    [0.0, 0.25, 1.0]
    """
    curves = []
    for name in quantities:
        values = np.sort(counts[name].to_numpy())
        if values.sum() > 0:
            held = np.concatenate([[0], np.cumsum(values)])
            steps = np.arange(len(held))
            curves.append((name, steps, steps / len(values), held / held[-1]))
    return pl.DataFrame(
        {
            "quantity": [name for name, steps, *_ in curves for _ in steps],
            "rows": [int(k) for _, steps, *_ in curves for k in steps],
            "classes": [float(v) for *_, classes, _ in curves for v in classes],
            "share": [float(v) for *_, share in curves for v in share],
        },
        schema={"quantity": pl.String, "rows": pl.Int64, "classes": pl.Float64, "share": pl.Float64},
    )


def ranks(counts: pl.DataFrame, quantities: Sequence[str] = QUANTITIES) -> pl.DataFrame:
    """The same rows with their rank (1 = most; ties get their mean) and share in each quantity.

    Returns:
        `counts` with `rank_<quantity>` f64 and `share_<quantity>` f64 (null where the total is zero) appended.

    >>> ranks(pl.DataFrame({"pixels": [5, 9, 5]}), ["pixels"])["rank_pixels"].to_list()
    [2.5, 1.0, 2.5]
    """
    total = {name: pl.col(name).sum() for name in quantities}
    return counts.with_columns(
        *(pl.col(name).rank("average", descending=True).alias(f"rank_{name}") for name in quantities),
        *(pl.when(total[name] > 0).then(pl.col(name) / total[name]).alias(f"share_{name}") for name in quantities),
    )


def rank_agreement(counts: pl.DataFrame, quantities: Sequence[str] = QUANTITIES) -> pl.DataFrame:
    """How far two quantities order the rows alike: one row per pair of quantities.

    Returns:
        `first` str, `second` str, `kendall` f64 (tau-b, Kendall 1945), `spearman` f64; null where a quantity is
        constant.
    """
    rows = []
    for first, second in combinations(quantities, 2):
        x, y = counts[first].to_numpy(), counts[second].to_numpy()
        defined = len(np.unique(x)) > 1 and len(np.unique(y)) > 1
        kendall = float(stats.kendalltau(x, y).statistic) if defined else None
        spearman = float(stats.spearmanr(x, y).statistic) if defined else None
        rows.append((first, second, kendall, spearman))
    schema = {"first": pl.String, "second": pl.String, "kendall": pl.Float64, "spearman": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _measures(values: np.ndarray) -> dict:
    largest = np.sort(values)[::-1]
    total, n = int(largest.sum()), len(largest)
    known = {"total": total, "classes": n, "absent": int((largest == 0).sum())}
    if total == 0:
        return known
    p = largest[largest > 0] / total
    held = np.cumsum(largest)
    return known | {
        "gini": float(((n + 1 - 2 * np.arange(1, n + 1)) * (largest / total)).sum() / n),
        "effective_entropy": float(np.exp(-(p * np.log(p)).sum())),
        "effective_simpson": float(1 / (p * p).sum()),
        **{f"top_{k}": float(held[min(k, n) - 1] / total) for k in (1, 5, 10)},
        "half": int(np.searchsorted(2 * held, total) + 1),
        "imbalance": float(p[0] / p[-1]),
    }
