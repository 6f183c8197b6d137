-- The claims of the article, in its own words, and what each is judged by.
select
    claim,
    title,
    quote,
    kind,
    source_list,
    reason,
    judged_by
from meta.claims
order by try_cast(claim[2:] as integer), claim
