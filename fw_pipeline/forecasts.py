"""Forecasts of monthly series, made anew from every quarter of the past: so each can be held against what came.

The model is exponential smoothing with a damped trend (Gardner and McKenzie, Management Science 1985;31:1237), on
logarithms, in the state-space form of statsmodels: months without a figure are missing there, not zero. Nothing here
knows a source, a table or a claim.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from threadpoolctl import threadpool_limits

from fw_pipeline.contract import Window

HORIZON = 24
"""Months ahead that are forecast."""

LEAST = 36
"""Months with a figure that a forecast needs: three years."""

COVERAGE = 0.8
"""The part of what comes that the intervals should hold, as usual for exponential smoothing."""

KEY = ("claim", "formula", "source", "series")

COLUMNS: Mapping[str, tuple[pl.DataType | type[pl.DataType], str]] = {
    "claim": (pl.String, "Number of the claim."),
    "formula": (pl.String, "What is forecast."),
    "source": (pl.String, "Where the figures come from."),
    "series": (pl.String, "Who counted."),
    "made_as_of": (pl.Date, "Month after which the forecast was made; nothing later went in."),
    "horizon": (pl.Int64, "Months ahead; NULL where no forecast can be made."),
    "forecast": (pl.Float64, "What the model expects, its median; NULL where no forecast can be made."),
    "low": (pl.Float64, "Lower end of the interval at 80 %."),
    "high": (pl.Float64, "Upper end of the interval at 80 %."),
    "months_used": (pl.Int64, "Months with a figure that went in."),
    "reason": (pl.String, "Why no forecast can be made."),
}
"""The columns of a table of forecasts: type and meaning."""

_QUARTER, _DIGITS = 3, 6
_REFIT = 4
"""Quarters after which the parameters are estimated again; between, those of before are used, never those of later."""


@dataclass
class _Fitted:
    """The parameters of one series, as they were last estimated."""

    parameters: Any = None
    age: int = field(default=_REFIT)


def forecasts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the forecasts of every series, as of each quarter's first month and as of its last figure.

    Args:
        rows: claim, formula, source, series, month, value; a value is above zero, or NULL where there is none.

    Returns:
        A frame of `COLUMNS`. A series that cannot be forecast at all has one row, with the reason.
    """
    found = [
        {**dict(zip(KEY, key, strict=True)), **made}
        for key, series in rows.sort(*KEY, "month").group_by(KEY, maintain_order=True)
        for made in _of_series(_by_month(series))
    ]
    schema = {name: kind for name, (kind, _) in COLUMNS.items()}
    return pl.DataFrame(found, schema=schema, orient="row")


def _by_month(series: pl.DataFrame) -> dict[date, float | None]:
    """Return the value of every month from the first figure to the last; an unfilled month is None."""
    values = dict(series.drop_nulls("value").select("month", "value").rows())
    if not values:
        return dict.fromkeys(series["month"].tail(1))
    return {month: values.get(month) for month in Window.of(min(values), max(values)).months()}


def _of_series(values: Mapping[date, float | None]) -> Iterator[dict[str, Any]]:
    months = list(values)
    fitted = _Fitted()
    made = False
    for place, month in enumerate(months):
        used = sum(value is not None for value in list(values.values())[: place + 1])
        if used < LEAST or (month.month % _QUARTER != 1 and place + 1 < len(months)):
            continue
        known = [math.log(value) if value is not None else math.nan for value in list(values.values())[: place + 1]]
        made = True
        said = {"made_as_of": month, "months_used": used}
        ahead = _ahead(known, fitted)
        if ahead is None:
            yield {**said, "reason": "the model cannot be fitted to these figures"}
            continue
        for horizon, (forecast, low, high) in enumerate(ahead, start=1):
            yield {**said, "horizon": horizon, "forecast": forecast, "low": low, "high": high}
    if not made:
        used = sum(value is not None for value in values.values())
        reason = f"{used} months have a figure, {LEAST} are needed"
        yield {"made_as_of": months[-1], "months_used": used, "reason": reason}


def _ahead(known: Sequence[float], fitted: _Fitted) -> list[tuple[float, float, float]] | None:
    """Return forecast, low and high for each month ahead, back from logarithms; None where the model fails."""
    import numpy as np  # noqa: PLC0415 - with statsmodels it takes two seconds
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing  # noqa: PLC0415

    # matrices of three by three are no work for threads, and one thread adds in one order
    with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the search for parameters steps too far at times
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model = ExponentialSmoothing(np.array(known), trend=True, damped_trend=True)
            if fitted.age >= _REFIT:
                fitted.parameters, fitted.age = model.fit(disp=0, maxiter=200).params, 0
            fitted.age += 1
            ahead = model.smooth(fitted.parameters).get_forecast(HORIZON)
            middle, ends = ahead.predicted_mean, ahead.conf_int(alpha=1 - COVERAGE)
        except (ValueError, np.linalg.LinAlgError, ConvergenceWarning):
            return None
    found = [tuple(_rounded(math.exp(value)) for value in row) for row in np.column_stack([middle, ends])]
    return [(a, b, c) for a, b, c in found if math.isfinite(a + b + c)] if len(found) == HORIZON else None


def _rounded(value: float) -> float:
    """Keep the digits that mean something, so that another machine's arithmetic gives the same."""
    return float(f"{value:.{_DIGITS}g}")
