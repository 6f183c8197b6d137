with metrics as (
    select * from marts.framework_metrics
    where is_headline and framework in ('pytorch', 'tensorflow')
),

closed_months as (
    select * from meta.months
),

coverage as (
    select * from meta.coverage
),

distorted as (
    select * from meta.outages
    where kind = 'distorted'
),

sources as (
    select unnest(['stackoverflow', 'huggingface', 'papers', 'pypi']) as source
),

paired as (
    select
        month,
        source,
        any_value(metric) as metric,
        any_value(series) as series,
        any_value(segment) as segment,
        max(value) filter (where framework = 'pytorch') as pytorch,
        max(value) filter (where framework = 'tensorflow') as tensorflow,
        bool_or(before_release) as is_before_release,
        bool_or(is_estimated) as is_estimated,
        string_agg(distinct gap_reason, '; ' order by gap_reason) as gap_reasons,
        max(known_from) as known_from
    from metrics
    group by month, source
),

troubled as (
    select
        paired.month,
        paired.source,
        string_agg(distinct distorted.effect, '; ' order by distorted.effect) as trouble
    from paired
    inner join distorted
        on
            paired.source = distorted.source
            and starts_with(paired.series, coalesce(distorted.series, ''))
            and paired.month <= distorted.last_day
            and distorted.first_day < paired.month + interval 1 month
    group by paired.month, paired.source
),

-- One row for each closed month and source, figures or not: what is not there has a note.
final as (
    select
        closed_months.month,
        sources.source,
        paired.metric,
        paired.series,
        paired.segment,
        paired.pytorch,
        paired.tensorflow,
        case when not paired.is_before_release then paired.pytorch / nullif(paired.tensorflow, 0) end as ratio,
        (paired.pytorch + paired.tensorflow)::bigint as n,
        nullif(
            concat_ws(
                '; ',
                case when paired.is_before_release then 'before the release of PyTorch' end,
                case when paired.is_estimated then 'interpolated' end,
                paired.gap_reasons,
                case
                    when paired.pytorch is null and paired.tensorflow is not null and paired.gap_reasons is null
                        then paired.series || ' has no figure of PyTorch'
                    when paired.tensorflow is null and paired.pytorch is not null and paired.gap_reasons is null
                        then paired.series || ' has no figure of TensorFlow'
                    when paired.tensorflow = 0 then 'none of TensorFlow was counted'
                end,
                case when paired.pytorch is not null or paired.tensorflow is not null then troubled.trouble end,
                case
                    when paired.month is null
                        then 'no series that may lead has this month: ' || coalesce(coverage.reason, 'samples only')
                end
            ),
            ''
        ) as note,
        coalesce(paired.known_from, closed_months.month) as known_from
    from closed_months
    cross join sources
    left join paired on closed_months.month = paired.month and sources.source = paired.source
    left join troubled on closed_months.month = troubled.month and sources.source = troubled.source
    left join coverage on closed_months.month = coverage.month and sources.source = coverage.source
)

select * from final
