-- The headline verdict of every claim in every as-of month.
select
    claim,
    as_of,
    verdict
from marts.headline_verdicts
order by claim, as_of
