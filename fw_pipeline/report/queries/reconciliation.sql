-- What others published, and what is measured here.
select
    claim,
    metric,
    as_of,
    citation,
    definition,
    published,
    measured,
    unit,
    difference,
    tolerance,
    within_tolerance,
    reason
from marts.reconciliation
order by try_cast(claim[2:] as integer), metric, as_of, citation, definition
