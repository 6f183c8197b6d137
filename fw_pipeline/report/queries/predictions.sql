-- The article's predictions against what was forecast in January 2023: all that can be told, and a year ahead of the rest.
select
    claim,
    prediction,
    formula,
    series,
    horizon,
    month,
    threshold,
    forecast,
    low,
    high,
    naive,
    measured,
    answer,
    why,
    forecasts_tested,
    smape,
    naive_smape,
    intervals_tested,
    within_interval
from marts.predictions
where
    answer != 'cannot be told'
    or (horizon = 12 and (forecast is not null or series = 'no series'))
order by substr(claim, 2)::integer, formula, prediction, series, horizon
