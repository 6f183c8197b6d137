-- Known trouble of the sources: where counting changed, and what was lost or distorted.
select
    source,
    series,
    kind,
    first_day,
    last_day,
    effect,
    reference
from meta.outages
order by source, first_day, series
