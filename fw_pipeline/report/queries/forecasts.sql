-- What was measured, and the forecasts as of January 2023 and as of the last figure, with their intervals at 80 %.
with forecasts as (
    select
        *,
        max(made_as_of) over (partition by claim, formula, series) as latest
    from marts.forecasts
    where forecast is not null
),

series as (
    select distinct
        claim,
        formula,
        series
    from forecasts
),

measured as (
    select
        figures.claim,
        figures.formula,
        figures.series,
        figures.unit,
        figures.month,
        'measured' as kind,
        figures.value,
        null::double as low,
        null::double as high,
        null::date as made_as_of
    from marts.forecast_series as figures
    inner join series
        on figures.claim = series.claim and figures.formula = series.formula and figures.series = series.series
),

foretold as (
    select
        claim,
        formula,
        series,
        unit,
        month,
        case when made_as_of = date '2023-01-01' then 'then' else 'now' end as kind,
        forecast as value,
        low,
        high,
        made_as_of
    from forecasts
    where made_as_of in (date '2023-01-01', latest)
)

select * from measured
union all
select * from foretold
order by claim, formula, series, kind, month
