-- Downloads per day from the Python Package Index, by month, framework and series. Series are never joined up.
select
    month,
    metric,
    series,
    segment,
    framework,
    value as downloads_per_day,
    is_partial,
    gap_reason
from marts.framework_metrics
where
    source = 'pypi'
    and metric in ('downloads_per_day', 'family_downloads_per_day')
    and framework in ('tensorflow', 'pytorch', 'keras', 'jax')
order by metric, series, framework, month
