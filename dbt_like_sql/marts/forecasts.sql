with forecasts as (
    select * from meta.forecasts
),

figures as (
    select * from marts.forecast_series
),

placed as (
    select
        *,
        (made_as_of + to_months(horizon::integer))::date as month,
        -- The same month of the last year that was known.
        (made_as_of + to_months((horizon - 12 * ceil(horizon / 12))::integer))::date as season_month
    from forecasts
),

units as (
    select distinct
        claim,
        formula,
        unit
    from figures
),

-- The last figure that was known: what the naive forecast goes on with.
last_known as (
    select
        forecasts.claim,
        forecasts.formula,
        forecasts.series,
        forecasts.made_as_of,
        arg_max(figures.value, figures.month) as value
    from (
        select distinct
            claim,
            formula,
            series,
            made_as_of
        from forecasts
    ) as forecasts
    inner join figures
        on
            forecasts.claim = figures.claim
            and forecasts.formula = figures.formula
            and forecasts.series = figures.series
            and forecasts.made_as_of >= figures.month
    group by forecasts.claim, forecasts.formula, forecasts.series, forecasts.made_as_of
),

final as (
    select
        placed.claim,
        placed.formula,
        units.unit,
        placed.source,
        placed.series,
        placed.made_as_of,
        placed.horizon,
        placed.month,
        placed.forecast,
        placed.low,
        placed.high,
        placed.errors_known,
        case when placed.horizon is not null then last_known.value end as naive,
        season.value as seasonal_naive,
        came.value as measured,
        placed.months_used,
        placed.reason
    from placed
    inner join units on placed.claim = units.claim and placed.formula = units.formula
    left join last_known
        on
            placed.claim = last_known.claim
            and placed.formula = last_known.formula
            and placed.series = last_known.series
            and placed.made_as_of = last_known.made_as_of
    left join figures as season
        on
            placed.claim = season.claim
            and placed.formula = season.formula
            and placed.series = season.series
            and placed.season_month = season.month
    left join figures as came
        on
            placed.claim = came.claim
            and placed.formula = came.formula
            and placed.series = came.series
            and placed.month = came.month
)

select * from final
