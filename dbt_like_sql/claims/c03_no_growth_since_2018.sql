with figures as (
    select
        *,
        -- Downloads before the repair of 2018-07-26 are too low by two to three times: their base begins after it.
        case source when 'pypi' then date '2018-08-01' else date '2018-01-01' end as base_month
    from marts.figures_by_basis
    where framework = 'tensorflow' and measure in ('questions', 'the share', 'downloads', 'family downloads')
),

windows as (
    select * from marts.windows
    where framework = 'tensorflow' and months = 12 and as_of >= date '2018-12-01'
),

base as (
    select
        basis,
        measure,
        series,
        any_value(base_month) as base_month,
        sum(part) filter (where figure is not null) / sum(whole) filter (where figure is not null) as level
    from figures
    where month between base_month and date '2018-12-01'
    group by basis, measure, series
    having count(figure) * 3 >= (13 - month(any_value(base_month))) * 2
),

so_far as (
    select
        basis,
        measure,
        series,
        month as as_of,
        -- Months as numbers, so that the slope is one of a month; twelve of them are a year.
        12 * regr_slope(figure, year(month) * 12 + month(month)) over since_2018 as slope,
        count(figure) over since_2018 as months_counted,
        count(*) filter (where is_partial) over since_2018 as months_partial
    from figures
    where month >= base_month
    window since_2018 as (
        partition by basis, measure, series
        order by month
    )
),

levels as (
    select
        windows.*,
        base.base_month,
        base.level as base_level,
        so_far.slope,
        so_far.months_counted,
        so_far.months_partial as partial,
        max(windows.level) over (
            partition by windows.basis, windows.measure, windows.series
            order by windows.as_of
        ) as peak_level
    from windows
    inner join base
        on windows.basis = base.basis and windows.measure = base.measure and windows.series = base.series
    inner join so_far
        on
            windows.basis = so_far.basis
            and windows.measure = so_far.measure
            and windows.series = so_far.series
            and windows.as_of = so_far.as_of
),

forms as (
    select
        *,
        unnest(['change', 'slope', 'peak']) || ' of ' || measure || ' since 2018' as formula,
        unnest([level, slope, peak_level]) as numerator,
        unnest([level, slope + base_level, peak_level]) / nullif(base_level, 0) - 1 as result
    from levels
    -- From 2019-12 on, the last twelve months no longer overlap the base.
    where as_of >= date '2019-12-01'
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.base_month as since,
        case when published.level is not null then published.result end as value,
        case when exact.level is not null then exact.result end as exact_value,
        published.months_counted as n,
        published.numerator,
        published.base_level as denominator,
        cast(datediff('month', published.base_month, published.as_of) + 1 - published.months_counted as bigint)
            as months_lacking,
        published.partial as months_partial,
        case when published.level is null then 'fewer than 8 of the last 12 months have a figure' end as cannot_decide
    from forms as published
    left join forms as exact
        on
            published.formula = exact.formula
            and published.series = exact.series
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where published.basis = 'published'
)

select * from measured
