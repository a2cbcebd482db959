"""Two sets of images side by side: do they differ, and by how much.

The image is the unit: the instances of one image are alike, and a test that takes each for a draw of its own finds
differences everywhere. Where a distribution over many instances or pixels is compared, whole images are shuffled
between the sets. An effect size stands beside every test, because in large sets nothing is equal.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy import sparse, stats

from cocoseg.dataset.proportions import false_discovery, independence, wilson

SHUFFLES = 999


def composition(a: pl.DataFrame, b: pl.DataFrame, *, shuffles: int = SHUFFLES, seed: int = 0) -> pl.DataFrame:
    r"""Do the counts of two sets spread over labels alike? One row.

    The statistic is Pearson's $\chi^2$ of the 2 × K table of counts. Its distribution if there were no difference comes
    from `shuffles` random allotments of the images to two sets of the same sizes; p = (1 + number at least as large) /
    (shuffles + 1) (Phipson and Smyth 2010). Cramér's $V = \sqrt{\chi^2 / n}$ is 0 for equal shares, 1 for disjoint
    labels. It is above 0 by chance alone; `v_chance` is its mean over the shuffles.

    Args:
        a, b: one row per image and label with three columns, of which the first is `image_id` and the third the
            count. Images without rows do not take part. Images of a and b are different images even if their ids
            are equal.

    Returns:
        `images_a`, `images_b`, `labels`, `count_a`, `count_b` i64, `chi2`, `cramers_v`, `v_chance`, `p` f64; the
        measures are null where a set is empty.
    """
    _, label, count = a.columns
    both = pl.concat([a.with_columns(set=pl.lit(0)), b.with_columns(set=pl.lit(1))]).filter(pl.col(count) > 0)
    row = both.select(pl.struct("set", "image_id").rank("dense"))["set"].to_numpy().astype(np.int64) - 1
    labels, column = np.unique(both[label].to_numpy(), return_inverse=True)
    of_b = np.zeros(row.max(initial=-1) + 1, bool)
    of_b[row] = both["set"].to_numpy() == 1
    counts = sparse.csr_array((both[count].cast(pl.Float64).to_numpy(), (row, column)), shape=(len(of_b), len(labels)))
    total = counts.sum(0)
    in_b = counts.T @ of_b
    known = {
        "images_a": int((~of_b).sum()),
        "images_b": int(of_b.sum()),
        "labels": len(labels),
        "count_a": int((total - in_b).sum()),
        "count_b": int(in_b.sum()),
    }
    if of_b.any() and not of_b.all():
        n = total.sum()
        chi2 = _chi2(in_b, total)
        drawn = _drawn(known["images_a"], known["images_b"], shuffles, seed)
        chance = np.array([_chi2(counts[rows].sum(0), total) for rows in drawn])
        known |= {
            "chi2": chi2,
            "cramers_v": float(np.sqrt(chi2 / n)),
            "v_chance": float(np.sqrt(chance / n).mean()),
            "p": _p(chance, chi2),
        }
    numbers = dict.fromkeys(("chi2", "cramers_v", "v_chance", "p"), pl.Float64)
    whole = dict.fromkeys(("images_a", "images_b", "labels", "count_a", "count_b"), pl.Int64)
    return pl.DataFrame([known], {**whole, **numbers})


def shares(a: pl.DataFrame, b: pl.DataFrame, images_a: int, images_b: int) -> pl.DataFrame:
    r"""Is each label in as large a share of the images of both sets? One row per label that occurs in either.

    Args:
        a, b: `cooccurrence.presence`: one row per image and label (`image_id`, `label`).
        images_a, images_b: all images of each set, also those without labels; at least one.

    Returns:
        `label` str, `images_a`, `images_b` i64, `share_a`, `share_b`, `difference` f64 (share_b − share_a) with
        `low`, `high` (95 %, Newcombe 1998, method 10), `cohens_h` f64 ($2 \arcsin\sqrt{s_b} - 2 \arcsin\sqrt{s_a}$;
        0.2 small, 0.5 medium, 0.8 large, Cohen 1988), `p` f64 (twice the smaller tail of Fisher's exact test) and `q`
        f64 (after Benjamini and Hochberg over all labels).
    """
    counted = [
        table.group_by("label").agg(pl.len().cast(pl.Int64).alias(name))
        for table, name in ((a, "images_a"), (b, "images_b"))
    ]
    table = counted[0].join(counted[1], on="label", how="full", coalesce=True).sort("label")
    k_a, k_b = (table[name].fill_null(0).to_numpy() for name in ("images_a", "images_b"))
    if not images_a or not images_b:
        raise ValueError("a set without images cannot be compared")
    s_a, s_b = k_a / images_a, k_b / images_b
    (low_a, high_a), (low_b, high_b) = wilson(k_a, images_a), wilson(k_b, images_b)
    p = independence(k_b, k_a + k_b, images_b, images_a + images_b)
    return pl.DataFrame(
        {
            "label": table["label"],
            "images_a": k_a,
            "images_b": k_b,
            "share_a": s_a,
            "share_b": s_b,
            "difference": s_b - s_a,
            "low": s_b - s_a - np.hypot(s_b - low_b, high_a - s_a),
            "high": s_b - s_a + np.hypot(high_b - s_b, s_a - low_a),
            "cohens_h": 2 * np.arcsin(np.sqrt(s_b)) - 2 * np.arcsin(np.sqrt(s_a)),
            "p": p,
            "q": false_discovery(p),
        }
    )


def quantities(
    a: pl.DataFrame, b: pl.DataFrame, columns: Sequence[str], *, shuffles: int = SHUFFLES, seed: int = 0
) -> pl.DataFrame:
    """Is each number that an image has distributed alike in both sets? One row per column.

    Kolmogorov and Smirnov's largest distance between the two distributions, with p from shuffling images (as in
    `composition`; exact also for counts, where ties make the usual p too large), and Cliff's delta: the probability
    that an image of b has more than one of a, minus the probability that it has less; 0 alike, ±1 apart (Cliff
    1993; the absolute value of delta 0.15 small, 0.33 medium, 0.47 large).

    Args:
        a, b: one row per image with the columns; null is left out.

    Returns:
        `quantity` str, `images_a`, `images_b` i64, `mean_a`, `mean_b`, `median_a`, `median_b`, `ks`, `p`,
        `cliffs_delta` f64; the measures are null where a set has no value.
    """
    rows = [(name, *_compare(a[name], b[name], shuffles, seed)) for name in columns]
    numbers = ("mean_a", "mean_b", "median_a", "median_b", "ks", "p", "cliffs_delta")
    schema = {"quantity": pl.String, "images_a": pl.Int64, "images_b": pl.Int64, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema, orient="row")


def _compare(a: pl.Series, b: pl.Series, shuffles: int, seed: int) -> tuple:
    a, b = (column.drop_nulls().cast(pl.Float64).to_numpy() for column in (a, b))
    if not len(a) or not len(b):
        return len(a), len(b), *[None] * 7
    _, tie, size = np.unique(np.concatenate([a, b]), return_inverse=True, return_counts=True)
    scale = (len(a) + len(b)) / (len(a) * len(b))

    def ks(members: np.ndarray, even: np.ndarray) -> float:
        """Of some members among all: how far their cumulative count gets from an even share, as a difference of the
        cumulative shares of members and others."""
        return float(np.abs(np.cumsum(np.bincount(tie[members], minlength=len(size))) - even).max() * scale)

    upto = np.cumsum(size) / len(tie)
    observed = ks(np.arange(len(a), len(tie)), upto * len(b))
    few = upto * min(len(a), len(b))
    chance = np.array([ks(members, few) for members in _drawn(len(a), len(b), shuffles, seed)])
    more = stats.mannwhitneyu(b, a, method="asymptotic").statistic / (len(a) * len(b))
    middle = (float(a.mean()), float(b.mean()), float(np.median(a)), float(np.median(b)))
    return len(a), len(b), *middle, observed, _p(chance, observed), float(2 * more - 1)


def _drawn(a: int, b: int, shuffles: int, seed: int) -> Iterator[np.ndarray]:
    """The members of the smaller of two sets of a and b images, drawn again and again from all a + b.

    Which set is drawn does not matter to a symmetric statistic, and few are drawn faster than many.
    """
    random = np.random.default_rng(seed)
    for _ in range(shuffles):
        yield random.choice(a + b, min(a, b), replace=False, shuffle=False)


def _p(chance: np.ndarray, observed: float) -> float:
    # The same counts added up in another order may differ in the last digits; they are equal.
    return float((1 + (chance >= observed * (1 - 1e-9)).sum()) / (1 + len(chance)))


def _chi2(part: np.ndarray, total: np.ndarray) -> float:
    """Pearson's statistic of the table with the rows `part` and `total` − `part`, counts > 0 in total."""
    share = part.sum() / total.sum()
    return float(((part - total * share) ** 2 / (total * share * (1 - share))).sum())
