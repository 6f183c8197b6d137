-- Downloads per day from the Python Package Index, by month and framework, in the one series to quote of each month.
select
    month,
    series,
    segment,
    framework,
    value as downloads_per_day,
    is_partial,
    gap_reason
from marts.framework_metrics
where
    source = 'pypi'
    and metric = 'downloads_per_day'
    and is_headline
    and framework in ('tensorflow', 'pytorch', 'keras', 'jax')
order by framework, month
