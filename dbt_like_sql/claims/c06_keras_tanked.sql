with windows as (
    select * from marts.windows
    where framework = 'keras' and measure in ('questions', 'the share', 'downloads') and months in (1, 12)
),

peaks as (
    select
        *,
        'fall of ' || measure || if(months = 12, ' over 12 months', '') || ' from its peak' as formula,
        max(level) over so_far as peak_level,
        sum(if(months = 1, months_found, null)) over to_date as months_counted
    from windows
    window
        so_far as (
            partition by basis, measure, series, months
            order by as_of
        ),
        to_date as (
            partition by basis, measure, series
            order by as_of
        )
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.first_month as since,
        1 - published.level / nullif(published.peak_level, 0) as value,
        1 - exact.level / nullif(exact.peak_level, 0) as exact_value,
        cast(published.months_counted as bigint) as n,
        published.level as numerator,
        published.peak_level as denominator,
        published.months_lacking,
        published.months_partial,
        case
            when published.level is null
                then
                    'too few figures: ' || published.months_lacking || ' of ' || published.months
                    || ' months have none'
        end as cannot_decide
    from peaks as published
    left join peaks as exact
        on
            published.measure = exact.measure
            and published.series = exact.series
            and published.months = exact.months
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where
        published.basis = 'published'
        and published.months_counted >= published.months
)

select * from measured
