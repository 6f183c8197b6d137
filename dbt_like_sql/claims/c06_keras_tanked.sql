with figures as (
    select * from marts.figures_by_basis
    where framework = 'keras' and measure in ('questions', 'the share', 'downloads')
),

levels as (
    select
        *,
        'fall of ' || measure || ' from its peak' as formula,
        1 as months,
        -- Without the month's own estimate, the last exact month stands in, if it is near.
        case
            when basis = 'published' then figure
            else last_value(figure ignore nulls) over near
        end as level,
        if(figure is null, 1, 0) as months_lacking,
        if(is_partial, 1, 0) as months_partial
    from figures
    window
        near as (
            partition by basis, measure, series
            order by month range between interval 3 months preceding and current row
        )
    union all
    select
        *,
        'fall of ' || measure || ' over 12 months from its peak' as formula,
        12 as months,
        sum(part) filter (where figure is not null) over last_year
        / sum(whole) filter (where figure is not null) over last_year as level,
        12 - count(figure) over last_year as months_lacking,
        count(*) filter (where is_partial) over last_year as months_partial
    from figures
    window last_year as (
        partition by basis, measure, series
        order by month range between interval 11 months preceding and current row
    )
),

-- A year counts when at least eight of its months have a figure.
peaks as (
    select
        *,
        case when months_lacking * 3 <= months or (basis = 'exact' and months = 1) then level end as now_level,
        max(level) filter (
            where months_lacking * 3 <= months or (basis = 'exact' and months = 1)
        ) over so_far as peak_level,
        count(figure) over so_far as months_counted,
        first_value(month) over so_far as first_month
    from levels
    window so_far as (
        partition by basis, formula, series
        order by month
    )
),

measured as (
    select
        formula,
        source,
        series,
        month as as_of,
        min(first_month) as since,
        max(1 - now_level / nullif(peak_level, 0)) filter (where basis = 'published') as value,
        max(1 - now_level / nullif(peak_level, 0)) filter (where basis = 'exact') as exact_value,
        max(months_counted) filter (where basis = 'published') as n,
        max(now_level) filter (where basis = 'published') as numerator,
        max(peak_level) filter (where basis = 'published') as denominator,
        case
            when max(now_level) filter (where basis = 'published') is null
                then
                    'too few figures: ' || max(months_lacking) filter (where basis = 'published') || ' of '
                    || any_value(months) || ' months have none'
        end as cannot_decide,
        max(months_lacking) filter (where basis = 'published') as months_lacking,
        max(months_partial) as months_partial
    from peaks
    group by formula, source, series, month
    having max(months_counted) filter (where basis = 'published') >= any_value(months)
)

select * from measured
