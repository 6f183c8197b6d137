with windows as (
    select * from marts.windows
    where framework = 'tensorflow' and measure in ('questions', 'downloads', 'family downloads') and months = 12
),

papers as (
    select * from marts.paired_windows
    where measure = 'papers' and months = 12 and basis = 'published'
),

populations as (
    select * from meta.populations
    where source = 'papers' and is_sample
),

-- Code that sticks around is still installed and asked about: the last year against the best year.
best as (
    select
        *,
        max(level) over (partition by basis, measure, series order by as_of) as best_level
    from windows
    where since >= first_month
),

levels as (
    select
        'level of ' || published.measure || ' against the best 12 months' as formula,
        published.source,
        published.series,
        published.as_of,
        published.first_month as since,
        published.level / nullif(published.best_level, 0) as value,
        exact.level / nullif(exact.best_level, 0) as exact_value,
        published.months_found as n,
        published.level as numerator,
        published.best_level as denominator,
        published.months_lacking,
        published.months_partial,
        case when published.level is null then 'fewer than 8 of the last 12 months have a figure' end as cannot_decide
    from best as published
    left join best as exact
        on
            published.measure = exact.measure
            and published.series = exact.series
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where published.basis = 'published'
),

-- New work is seen in papers, by the month of the paper.
measured as (
    select * from levels
    union all
    select
        'pytorch in the new papers of 12 months' as formula,
        papers.source,
        papers.series,
        papers.as_of,
        papers.since,
        papers.pytorch / nullif(papers.pytorch + papers.tensorflow, 0) as value,
        value as exact_value,
        cast(coalesce(papers.pytorch + papers.tensorflow, 0) as bigint) as n,
        papers.pytorch as numerator,
        papers.pytorch + papers.tensorflow as denominator,
        papers.months_lacking,
        papers.months_partial,
        coalesce(populations.what, case when value is null then 'no paper names one of the two' end) as cannot_decide
    from papers
    left join populations on papers.series = populations.population
    where papers.since >= papers.first_month
)

select * from measured
