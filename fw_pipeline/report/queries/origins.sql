-- Who published the figures that are in use.
with figures as (
    select
        'stackoverflow' as source,
        origin,
        month
    from raw.stackoverflow
    union all
    select
        'huggingface' as source,
        origin,
        month
    from raw.huggingface
    union all
    select
        'huggingface' as source,
        origin,
        month
    from raw.huggingface_unpartitioned
    union all
    select
        'papers' as source,
        origin,
        month
    from raw.papers
    union all
    select
        'papers' as source,
        origin,
        month
    from raw.papers_unpartitioned
    union all
    select
        'pypi' as source,
        origin,
        month
    from raw.pypi
)

select
    source,
    origin,
    count(*) as figures,
    min(month) as first_month,
    max(month) as last_month
from figures
group by source, origin
order by source, origin
