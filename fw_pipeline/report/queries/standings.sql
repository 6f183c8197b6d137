-- How every claim stood when the article appeared, and how it stands now: the verdict, or why there is none.
with headlines as (
    select * from marts.headline_verdicts
),

ends as (
    select
        date '2023-01-01' as appeared,
        max(as_of) as latest
    from headlines
)

select
    headlines.claim,
    headlines.as_of,
    headlines.verdict,
    headlines.why,
    headlines.definitions_undecided,
    headlines.hangs_on,
    headlines.drift_flips,
    headlines.leans_on_gap
from headlines
inner join ends on headlines.as_of in (ends.appeared, ends.latest)
order by headlines.claim, headlines.as_of
