with forecasts as (
    select * from marts.forecasts
    where forecast is not null
),

-- Once with what the article's readers could know, once with everything.
moments as (
    select
        'then' as seen,
        date '2023-01-01' as known_by
    union all
    select
        'now' as seen,
        max(month) as known_by
    from forecasts
),

horizons as (
    select unnest([3, 6, 12, 18, 24]) as horizon
),

made as (
    select distinct
        claim,
        formula,
        source,
        series
    from marts.forecasts
),

held as (
    select
        *,
        2 * abs(forecast - measured) / (forecast + measured) as error,
        2 * abs(naive - measured) / (naive + measured) as naive_error,
        2 * abs(seasonal_naive - measured) / (seasonal_naive + measured) as seasonal_error
    from forecasts
    where measured is not null
),

errors as (
    select
        held.*,
        moments.seen
    from held
    inner join moments on held.month <= moments.known_by
),

final as (
    select
        made.claim,
        made.formula,
        made.source,
        made.series,
        moments.seen,
        horizons.horizon::bigint as horizon,
        count(errors.error) as forecasts,
        round(avg(errors.error), 6) as smape,
        round(avg(errors.naive_error), 6) as naive_smape,
        round(avg(errors.seasonal_error), 6) as seasonal_naive_smape,
        avg(errors.naive_error) <= avg(errors.error) as naive_is_better,
        count(errors.low) as intervals,
        round(avg((errors.measured between errors.low and errors.high)::integer), 6) as within_interval,
        case when count(errors.error) = 0 then 'no forecast over so many months has a figure to be held against' end
            as reason
    from made
    cross join moments
    cross join horizons
    left join errors
        on
            made.claim = errors.claim
            and made.formula = errors.formula
            and made.series = errors.series
            and moments.seen = errors.seen
            and horizons.horizon = errors.horizon
    group by made.claim, made.formula, made.source, made.series, moments.seen, horizons.horizon
)

select * from final
