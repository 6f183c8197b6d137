-- How every claim stood when the article appeared, and how it stands now: the verdict, or why there is none.
select
    claim,
    as_of,
    verdict,
    why,
    definitions_undecided
from marts.headline_verdicts
where as_of = date '2023-01-01' or as_of = (select max(as_of) from marts.headline_verdicts)
order by claim, as_of
