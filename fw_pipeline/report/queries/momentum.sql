-- Change on the year before, month by month, with its interval; a month without one has a reason.
with changes as (
    select
        *,
        count(change) over (partition by source, series) as changes
    from marts.momentum
    where
        framework in ('tensorflow', 'pytorch', 'keras', 'jax')
        and (
            (metric = 'questions' and measure = 'share')
            or (metric = 'downloads_per_day' and measure = 'value')
        )
)

select
    month,
    source,
    series,
    measure,
    framework,
    change,
    change_low,
    change_high,
    pairs,
    left_out,
    reason
from changes
where changes > 0
order by source, series, measure, framework, month
