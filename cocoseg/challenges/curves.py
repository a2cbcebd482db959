"""Reading the curves of `cocoseg.challenges.properties`."""

import numpy as np
import polars as pl

SPAN = (0.05, 0.95)


def reach(curves: pl.DataFrame) -> pl.DataFrame:
    """How far each property moves the share recovered: from the effect that 5 % of the instances are below to the one
    that 5 % are above.

    Args:
        curves: the table of `cocoseg.challenges.properties.explained`, of one evaluation.

    Returns:
        property str, reach f64; the farthest first. What few instances have does not make a property count.

    >>> rows = {"property": ["size"] * 3, "effect": [-0.5, 0.0, 0.25], "instances": [1, 50, 49]}
    >>> reach(pl.DataFrame(rows)).row(0)
    ('size', 0.25)
    """
    rows = []
    for (name,), part in curves.group_by("property", maintain_order=True):
        each = np.repeat(part["effect"].to_numpy(), part["instances"].to_numpy())
        low, high = np.quantile(each, SPAN) if len(each) else (0.0, 0.0)
        rows.append((name, float(high - low)))
    table = pl.DataFrame(rows, {"property": pl.String, "reach": pl.Float64}, orient="row")
    return table.sort("reach", "property", descending=[True, False])
