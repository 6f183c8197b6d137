-- What there is of each month: complete, partial, a known gap, or nothing yet.
select
    source,
    month,
    status,
    reason
from meta.coverage
order by source, month
