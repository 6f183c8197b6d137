-- What the page rests on: the months of each source, or why it has none.
select
    source,
    first_month,
    last_month,
    why_none
from meta.sources
order by source
