-- How wrong the forecasts were, by what is now known, beside those that a child could make.
select
    claim,
    formula,
    series,
    horizon,
    forecasts,
    smape,
    naive_smape,
    seasonal_naive_smape,
    naive_is_better,
    intervals,
    within_interval
from marts.forecast_errors
where seen = 'now' and forecasts > 0
order by substr(claim, 2)::integer, formula, series, horizon
