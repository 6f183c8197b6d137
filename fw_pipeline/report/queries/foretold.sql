-- PyTorch for each TensorFlow in downloads: what was measured, and the forecast made of the figures up to January 2023
-- with its interval at 80 percent, in the preferred series that had one.
with chosen as (
    select forecasts.series
    from marts.forecasts as forecasts
    left join meta.headline_series as preferred
        on
            preferred.source = 'pypi'
            and preferred.definition = 'downloads per day of the package, ' || forecasts.series
    where
        forecasts.claim = 'C25'
        and forecasts.formula = 'ratio of downloads'
        and forecasts.made_as_of = date '2023-01-01'
        and forecasts.forecast is not null
    order by preferred.rank nulls last, forecasts.series
    limit 1
)

select
    'measured' as kind,
    figures.series,
    figures.month,
    figures.value,
    null::double as low,
    null::double as high
from marts.forecast_series as figures
inner join chosen on figures.series = chosen.series
where figures.claim = 'C25' and figures.formula = 'ratio of downloads'
union all
select
    'forecast' as kind,
    forecasts.series,
    forecasts.month,
    forecasts.forecast as value,
    forecasts.low,
    forecasts.high
from marts.forecasts as forecasts
inner join chosen on forecasts.series = chosen.series
where
    forecasts.claim = 'C25'
    and forecasts.formula = 'ratio of downloads'
    and forecasts.made_as_of = date '2023-01-01'
    and forecasts.forecast is not null
order by kind, month
