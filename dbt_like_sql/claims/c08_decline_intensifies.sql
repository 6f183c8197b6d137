with figures as (
    select * from marts.figures_by_basis
    where framework = 'tensorflow' and measure in ('questions', 'the share')
),

lengths as (
    select unnest([3, 12]) as months
),

ends as (
    select
        figures.basis,
        figures.measure,
        figures.source,
        figures.series,
        figures.month as as_of,
        lengths.months,
        min(figures.month) over (partition by figures.series) as first_month
    from figures
    cross join lengths
),

shifts as (
    select unnest([0, 1, 2]) as years_back
),

-- The window, the same window a year before, and that of two years before: the same months, so no season is seen.
windows as (
    select
        ends.*,
        shifts.years_back,
        sum(figures.part) filter (where figures.figure is not null)
        / sum(figures.whole) filter (where figures.figure is not null) as level,
        count(figures.figure) as months_found
    from ends
    cross join shifts
    left join figures
        on
            ends.basis = figures.basis
            and ends.measure = figures.measure
            and ends.series = figures.series
            and figures.month > ends.as_of - to_months(12 * shifts.years_back + ends.months)
            and figures.month <= ends.as_of - to_months(12 * shifts.years_back)
    group by
        ends.basis, ends.measure, ends.source, ends.series, ends.as_of, ends.months, ends.first_month, shifts.years_back
),

changes as (
    select
        basis,
        measure,
        source,
        series,
        as_of,
        months,
        first_month,
        sum(months_found) filter (where years_back < 2) as months_found,
        sum(months_found) as months_found_in_all,
        max(level) filter (where years_back = 0 and months_found * 3 >= months * 2) as now_level,
        max(level) filter (where years_back = 1 and months_found * 3 >= months * 2) as before_level,
        max(level) filter (where years_back = 2 and months_found * 3 >= months * 2) as two_before_level
    from windows
    group by basis, measure, source, series, as_of, months, first_month
),

forms as (
    select
        *,
        measure || ' over ' || months || ' months on the year before' as formula,
        1 as years,
        2 * months - months_found as months_lacking,
        now_level / nullif(before_level, 0) - 1 as result,
        now_level as numerator,
        before_level as denominator
    from changes
    union all
    select
        *,
        'speed of change of ' || measure || ' over ' || months || ' months' as formula,
        2 as years,
        3 * months - months_found_in_all as months_lacking,
        now_level / nullif(before_level, 0) - before_level / nullif(two_before_level, 0) as result,
        now_level / nullif(before_level, 0) - 1 as numerator,
        before_level / nullif(two_before_level, 0) - 1 as denominator
    from changes
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        cast(as_of - to_months(12 * any_value(years) + any_value(months) - 1) as date) as since,
        max(result) filter (where basis = 'published') as value,
        max(result) filter (where basis = 'exact') as exact_value,
        cast(max(months_found) filter (where basis = 'published') as bigint) as n,
        max(numerator) filter (where basis = 'published') as numerator,
        max(denominator) filter (where basis = 'published') as denominator,
        case
            when max(result) filter (where basis = 'published') is null
                then 'too few months of the windows have a figure'
        end as cannot_decide,
        cast(max(months_lacking) filter (where basis = 'published') as bigint) as months_lacking
    from forms
    where as_of - to_months(12 * years + months - 1) >= first_month
    group by formula, source, series, as_of
)

select * from measured
