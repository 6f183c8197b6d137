with windows as (
    select
        *,
        case months
            when 1 then measure || ' in the month'
            else measure || ' in each of 6 months'
        end as formula,
        -- The order lasts when the worst of six months keeps it.
        if(months = 1, pytorch, lowest_pytorch) as numerator,
        if(months = 1, tensorflow, lowest_tensorflow) as denominator,
        case when months = 1 or is_enough then numerator / nullif(denominator, 0) end as ratio
    from marts.paired_windows
    where
        measure in ('questions', 'downloads', 'family downloads')
        and months in (1, 6)
        and since >= first_month
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.since,
        published.ratio as value,
        exact.ratio as exact_value,
        published.months_found as n,
        published.numerator,
        published.denominator,
        published.months_lacking,
        published.months_partial,
        case when published.ratio is null then coalesce(published.gap_reason, 'one of the two has no figure') end
            as cannot_decide,
        case published.months
            when 1 then published.gap_reason
            else 'lowest in ' || strftime(published.lowest_month, '%Y-%m')
        end as note
    from windows as published
    left join windows as exact
        on
            published.measure = exact.measure
            and published.series = exact.series
            and published.months = exact.months
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where published.basis = 'published'
)

select * from measured
