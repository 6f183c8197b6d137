"""Forecasts of monthly series, made anew from every quarter of the past: so each can be held against what came.

The model is exponential smoothing with a damped trend (Gardner and McKenzie, Management Science 1985;31:1237), on
logarithms, in the state-space form of statsmodels: months without a figure are missing there, not zero. Its intervals
are as wide as its own earlier forecasts were wrong (split conformal prediction; Lei et al., JASA 2018;113:1094).
Nothing here knows a source, a table or a claim.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import polars as pl
from threadpoolctl import ThreadpoolController

from fw_pipeline.months import Window

HORIZON = 24
"""Months ahead that are forecast."""

LEAST = 24
"""Months with a figure that a forecast needs: two years. The model knows no season, and each year more that it waits
for is one less to test it in."""

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
    "low": (
        pl.Float64,
        "Lower end of the interval at 80 %; NULL where too few earlier forecasts could be judged by then.",
    ),
    "high": (pl.Float64, "Upper end of the interval at 80 %."),
    "errors_known": (pl.Int64, "Earlier forecasts over as many months that could be judged by then."),
    "months_used": (pl.Int64, "Months with a figure that went in."),
    "reason": (pl.String, "Why no forecast can be made."),
}
"""The columns of a table of forecasts: type and meaning."""

_QUARTER, _DIGITS = 3, 6
_ENDLESS = 700
"""A logarithm beyond which the number itself is endless, or none."""
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
    known = [math.log(value) if value is not None else math.nan for value in values.values()]
    fitted = _Fitted()
    earlier: dict[int, list[float]] = {}
    """What was forecast so far, as logarithms, by the place of the month after which it was."""
    made = False
    for place, month in enumerate(months):
        used = sum(not math.isnan(value) for value in known[: place + 1])
        if used < LEAST or (month.month % _QUARTER != 1 and place + 1 < len(months)):
            continue
        made = True
        said = {"made_as_of": month, "months_used": used}
        ahead = _ahead(known[: place + 1], fitted)
        if ahead is None:
            yield {**said, "reason": "the model cannot be fitted to these figures"}
            continue
        half = 0.0
        for horizon, forecast in enumerate(ahead, start=1):
            errors = _errors(earlier, known[: place + 1], horizon)
            width = half_width(errors)
            half = max(half, width or 0.0)  # what is further away is not known better
            ends = (None, None) if width is None else (math.exp(forecast - half), math.exp(forecast + half))
            low, high = (end and _rounded(end) for end in ends)
            yield {
                **said,
                "horizon": horizon,
                "forecast": _rounded(math.exp(forecast)),
                "low": low,
                "high": high,
                "errors_known": len(errors),
            }
        earlier[place] = ahead
    if not made:
        used = sum(value is not None for value in values.values())
        reason = f"{used} months have a figure, {LEAST} are needed"
        yield {"made_as_of": months[-1], "months_used": used, "reason": reason}


def _errors(earlier: Mapping[int, Sequence[float]], known: Sequence[float], horizon: int) -> list[float]:
    """Return how wrong the earlier forecasts over so many months were, of those that can be judged by now."""
    judged = ((place + horizon, ahead[horizon - 1]) for place, ahead in earlier.items() if place + horizon < len(known))
    return [abs(known[place] - forecast) for place, forecast in judged if not math.isnan(known[place])]


def half_width(errors: Sequence[float]) -> float | None:
    """Return half the width of an interval that holds `COVERAGE` of what comes, were errors exchangeable.

    That is the error of rank (n + 1) times the coverage, rounded up; None where n, their number, is less than that.
    """
    rank = math.ceil((len(errors) + 1) * COVERAGE)
    return sorted(errors)[rank - 1] if rank <= len(errors) else None


def _ahead(known: Sequence[float], fitted: _Fitted) -> list[float] | None:
    """Return the logarithm that is expected for each month ahead; None where the model fails."""
    import numpy as np  # noqa: PLC0415 - with statsmodels it takes two seconds
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing  # noqa: PLC0415

    # matrices of three by three are no work for threads, and one thread adds in one order
    with _arithmetic().limit(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the search for parameters steps too far at times
        warnings.simplefilter("ignore", ConvergenceWarning)  # seen in what `_fit` is told
        try:
            model = ExponentialSmoothing(np.array(known), trend=True, damped_trend=True)
            if fitted.age >= _REFIT:
                fitted.parameters, fitted.age = _fit(model), 0
            fitted.age += 1
            ahead = [float(value) for value in model.smooth(fitted.parameters).forecast(HORIZON)]
        except (ValueError, np.linalg.LinAlgError):
            return None
    return ahead if all(abs(value) < _ENDLESS for value in ahead) else None


@cache
def _arithmetic() -> ThreadpoolController:
    """Return what limits the threads of numpy and scipy, which are imported by then; it is looked up once."""
    return ThreadpoolController()


def _fit(model: Any) -> Any:
    """Return the parameters of the greatest likelihood.

    Where a series is smooth, the last step by slopes is lost in the digits of some processors: the search is then ended
    without slopes, by Powell's method.

    Raises:
        ValueError: neither search has found an end.
    """
    found = model.fit(disp=0, maxiter=200)
    if not found.mle_retvals["converged"]:
        found = model.fit(found.params, method="powell", disp=0)
    if not found.mle_retvals["converged"]:
        raise ValueError("no greatest likelihood was found")
    return found.params


def _rounded(value: float) -> float:
    """Keep the digits that mean something, so that another machine's arithmetic gives the same."""
    return float(f"{value:.{_DIGITS}g}")
