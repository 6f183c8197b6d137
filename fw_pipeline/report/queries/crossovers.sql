-- When PyTorch passed TensorFlow, in each series with a year of months or more.
select
    source,
    metric,
    series,
    definition,
    is_headline,
    leader,
    challenger,
    first_month,
    last_month,
    months_observed,
    crossed,
    lasted,
    settled
from marts.crossovers
where
    leader in ('tensorflow', 'pytorch')
    and challenger in ('tensorflow', 'pytorch')
    and led_first
    and months_observed >= 12
order by source asc, is_headline desc, metric asc, series asc
