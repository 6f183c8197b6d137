-- How much PyTorch there is for each TensorFlow: four sources, each counted in its own way. Above 1, PyTorch leads.
-- Only from the month in which both had been released.
with monthly as (
    select
        month,
        source,
        series,
        segment,
        'month' as period,
        false as is_sample,
        max(value) filter (where framework = 'pytorch') as pytorch,
        max(value) filter (where framework = 'tensorflow') as tensorflow
    from marts.framework_metrics
    where metric in ('questions', 'downloads_per_day') and framework in ('pytorch', 'tensorflow')
    group by month, source, series, segment
    having not bool_or(coalesce(before_release, false))
),

yearly as (
    select
        starts + interval 6 month as month,
        'papers' as source,
        series,
        0 as segment,
        period,
        is_sample,
        pytorch,
        tensorflow
    from marts.research_adoption
    where
        period = 'year'
        and metric = 'papers'
        and scope = 'all'
        and pytorch + tensorflow >= 20
        and not coalesce(before_release, false)
),

both_periods as (
    select * from monthly
    union all by name
    select * from yearly
)

select
    month::date as month,
    source,
    series,
    segment,
    period,
    is_sample,
    pytorch,
    tensorflow,
    round(pytorch / nullif(tensorflow, 0), 6) as ratio
from both_periods
order by source, series, month
