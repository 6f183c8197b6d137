-- Questions of the last month with figures of both, and of the same month of earlier years before any break.
-- All questions of the site stand beside those with the tag.
with months as (
    select
        month,
        series,
        segment,
        max(value) filter (where framework = 'tensorflow') as tensorflow,
        max(value) filter (where framework = 'pytorch') as pytorch,
        max(denominator) as site
    from marts.framework_metrics
    where
        source = 'stackoverflow'
        and metric = 'questions'
        and is_headline
        and not coalesce(is_estimated or is_share_estimated, false)
    group by month, series, segment
),

newest as (
    select * from months
    where tensorflow is not null and pytorch is not null and site is not null
    qualify row_number() over (order by month desc) = 1
)

select months.*
from months
inner join newest
    on
        months.series = newest.series
        and months.segment = newest.segment
        and month(months.month) = month(newest.month)
        and months.month <= newest.month
where months.tensorflow is not null and months.site is not null
order by months.month desc
