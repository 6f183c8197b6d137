-- PyTorch for each TensorFlow in the one series to quote of each source: by month, and papers by calendar year.
-- Above 1, PyTorch leads. A month without a ratio has a note that says why.
with months as (
    select * from marts.pytorch_vs_tensorflow
    where source in ('stackoverflow', 'papers', 'pypi') and series is not null
),

-- Over a year: what distorts a source for so long changes how far its figures can be trusted, and not only one month.
long_distortions as (
    select * from meta.outages
    where kind = 'distorted' and series is null and last_day - first_day > 365
),

monthly as (
    select
        months.month,
        months.source,
        months.series,
        months.segment,
        months.pytorch,
        months.tensorflow,
        months.ratio,
        months.note,
        max(long_distortions.effect) as doubt
    from months
    left join long_distortions
        on
            months.source = long_distortions.source
            and long_distortions.first_day <= months.month
            and months.month <= long_distortions.last_day
    where months.source != 'papers'
    group by all
),

-- Conferences meet in a few months of the year: a month of them says little. Under 20 papers a year says nothing.
yearly as (
    select
        date_trunc('year', month)::date as month,
        source,
        series,
        segment,
        sum(pytorch) as pytorch,
        sum(tensorflow) as tensorflow,
        sum(pytorch) / nullif(sum(tensorflow), 0) as ratio
    from months
    where source = 'papers' and ratio is not null
    group by all
    having sum(pytorch + tensorflow) >= 20
),

both_periods as (
    select
        *,
        'month' as period
    from monthly
    union all by name
    select
        *,
        'year' as period
    from yearly
)

select
    month,
    period,
    source,
    series,
    segment,
    pytorch,
    tensorflow,
    round(ratio, 6) as ratio,
    doubt,
    note
from both_periods
order by source, month
