with figures as (
    select
        *,
        -- Downloads before the repair of 2018-07-26 are too low by two to three times: their base begins after it.
        case source when 'pypi' then date '2018-08-01' else date '2018-01-01' end as base_month
    from marts.figures_by_basis
    where framework = 'tensorflow' and measure in ('questions', 'the share', 'downloads', 'family downloads')
),

base as (
    select
        basis,
        measure,
        series,
        sum(part) filter (where figure is not null) / sum(whole) filter (where figure is not null) as level
    from figures
    where month between base_month and date '2018-12-01'
    group by basis, measure, series
    having count(figure) * 3 >= (13 - month(any_value(base_month))) * 2
),

years as (
    select
        *,
        sum(part) filter (where figure is not null) over last_year
        / sum(whole) filter (where figure is not null) over last_year as year_level,
        count(figure) over last_year as months_found
    from figures
    window last_year as (
        partition by basis, measure, series
        order by month range between interval 11 months preceding and current row
    )
),

since as (
    select
        years.basis,
        years.measure,
        years.source,
        years.series,
        years.month as as_of,
        years.base_month,
        years.months_found,
        base.level,
        years.year_level,
        count(years.figure) over so_far as months_counted,
        count(*) filter (where years.is_partial) over so_far as months_partial,
        max(years.year_level) filter (
            where years.month >= date '2018-12-01' and years.months_found >= 8
        ) over so_far as peak_level,
        -- Months as numbers, so that the slope is one of a month; twelve of them are a year.
        12 * regr_slope(years.figure, year(years.month) * 12 + month(years.month)) over so_far as slope
    from years
    inner join base
        on years.basis = base.basis and years.measure = base.measure and years.series = base.series
    where years.month >= years.base_month
    window so_far as (
        partition by years.basis, years.measure, years.series
        order by years.month
    )
),

forms as (
    select
        *,
        'change of ' || measure || ' since 2018' as formula,
        year_level as numerator,
        year_level / nullif(level, 0) - 1 as result
    from since
    union all
    select
        *,
        'slope of ' || measure || ' since 2018' as formula,
        slope as numerator,
        slope / nullif(level, 0) as result
    from since
    union all
    select
        *,
        'peak of ' || measure || ' since 2018' as formula,
        peak_level as numerator,
        peak_level / nullif(level, 0) - 1 as result
    from since
),

-- From 2019-12 on, the last twelve months no longer overlap the base.
measured as (
    select
        formula,
        source,
        series,
        as_of,
        any_value(base_month) as since,
        max(result) filter (where basis = 'published' and months_found >= 8) as value,
        max(result) filter (where basis = 'exact' and months_found >= 8) as exact_value,
        max(months_counted) filter (where basis = 'published') as n,
        max(numerator) filter (where basis = 'published') as numerator,
        max(level) filter (where basis = 'published') as denominator,
        case
            when max(months_found) filter (where basis = 'published') < 8
                then 'fewer than 8 of the last 12 months have a figure'
        end as cannot_decide,
        datediff('month', any_value(base_month), as_of) + 1
        - max(months_counted) filter (where basis = 'published') as months_lacking,
        max(months_partial) as months_partial
    from forms
    where as_of >= date '2019-12-01'
    group by formula, source, series, as_of
)

select * from measured
