with windows as (
    select
        *,
        case when is_enough then pytorch / nullif(pytorch + tensorflow, 0) end as share
    from marts.paired_windows
    where measure in ('questions', 'downloads', 'papers') and months = 12
),

populations as (
    select * from meta.populations
    where source = 'papers' and is_sample
),

changes as (
    select
        windows.*,
        before.share as share_before,
        windows.months_found + before.months_found as found,
        windows.months_lacking + before.months_lacking as lacking,
        windows.months_partial + before.months_partial as partial
    from windows
    inner join windows as before
        on
            windows.basis = before.basis
            and windows.measure = before.measure
            and windows.series = before.series
            and windows.as_of = before.as_of + interval 12 months
    where before.since >= before.first_month
),

measured as (
    select
        'rise of the share of ' || published.measure as formula,
        published.source,
        published.series,
        published.as_of,
        cast(published.since - interval 12 months as date) as since,
        published.share - published.share_before as value,
        exact.share - exact.share_before as exact_value,
        published.found as n,
        published.share as numerator,
        published.share_before as denominator,
        published.lacking as months_lacking,
        published.partial as months_partial,
        case
            when populations.is_sample then 'a sample, not all papers: ' || published.series
            when published.share - published.share_before is null
                then 'too few months of the two years have a figure of both'
        end as cannot_decide,
        'shares of a whole: nobody is seen to switch' as note
    from changes as published
    left join changes as exact
        on
            published.measure = exact.measure
            and published.series = exact.series
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    left join populations on published.series = populations.population
    where published.basis = 'published'
)

select * from measured
