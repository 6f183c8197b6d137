-- Every series that the comparisons rest on.
select distinct
    source,
    series
from marts.framework_metrics
where series is not null
order by source, series
