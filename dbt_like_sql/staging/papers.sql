with dated as (
    select * from raw.papers
),

undated as (
    select * from raw.papers_unpartitioned
),

populations as (
    select * from meta.populations
    where source = 'papers'
),

outages as (
    select * from meta.outages
    where source = 'papers'
),

figures as (
    select * from dated
    union all by name
    select * from undated
),

-- Where a series has rows that do not tell official from other repositories, these hold each paper once. Its rows by
-- kind of repository hold the same papers again: once a kind, and once a framework.
counted_once as (
    select
        population,
        bool_or(official is null) as has_undivided_rows
    from figures
    group by population
),

-- The calendar says whom an outage concerns: the archive died; arXiv and the venues went on.
failing as (
    select
        figures.population,
        figures.month,
        arg_min(outages.effect || ' (' || outages.reference || ')', outages.last_day - outages.first_day) as reason
    from figures
    inner join outages
        on
            figures.month <= outages.last_day
            and outages.first_day < figures.month + interval 1 month
            and starts_with(figures.population, coalesce(outages.series, ''))
    group by figures.population, figures.month
),

final as (
    select
        figures.month,
        figures.population as series,
        figures.venue,
        figures.frameworks,
        figures.frameworks = ['*'] as is_total,
        case when figures.frameworks != ['*'] then list_contains(figures.frameworks, 'pytorch') end as has_pytorch,
        case when figures.frameworks != ['*'] then list_contains(figures.frameworks, 'tensorflow') end
            as has_tensorflow,
        case when figures.frameworks != ['*'] then list_contains(figures.frameworks, 'jax') end as has_jax,
        figures.official,
        figures.papers,
        figures.repositories,
        figures.official is null or not counted_once.has_undivided_rows as counts_papers,
        populations.is_sample,
        failing.reason is not null as is_partial,
        failing.reason as gap_reason,
        figures.method,
        figures.origin,
        figures.observed_on,
        figures.provider,
        figures.evidence,
        figures.observed_at
    from figures
    inner join counted_once on figures.population = counted_once.population
    left join populations on figures.population = populations.population
    left join failing
        on figures.population = failing.population and figures.month = failing.month
)

select * from final
