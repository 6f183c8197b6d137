-- The claims of the article, in its own words.
select
    claim,
    title,
    quote,
    kind,
    source_list,
    reason
from meta.claims
order by try_cast(claim[2:] as integer), claim
