with metrics as (
    select * from marts.framework_metrics
    where source = 'pypi'
),

outages as (
    select * from meta.outages
    where source = 'pypi'
),

months as (
    select distinct
        series,
        month
    from metrics
),

trouble as (
    select
        months.series,
        months.month,
        string_agg(outages.effect || ' (' || outages.reference || ')', '; ' order by outages.first_day) as trouble
    from months
    inner join outages
        on
            months.month <= outages.last_day
            and outages.first_day < months.month + interval 1 month
            and starts_with(months.series, coalesce(outages.series, ''))
    group by months.series, months.month
),

figures as (
    select
        month,
        series,
        segment,
        case metric when 'downloads_per_day' then 'package' else 'family' end as counted,
        framework,
        value as downloads_per_day,
        is_partial,
        gap_reason
    from metrics
),

compared as (
    select
        this.*,
        this.downloads_per_day / nullif(tensorflow.downloads_per_day, 0) as per_tensorflow,
        case
            when this.segment = last.segment then this.downloads_per_day / nullif(last.downloads_per_day, 0) - 1
        end as change_12_months,
        case
            when this.downloads_per_day is null then 'the month has no figure'
            when this.segment != last.segment
                then 'a break of the series lies between the month and the one a year before (meta.outages)'
            when last.downloads_per_day is null then 'the month a year before has no figure'
            when last.downloads_per_day = 0 then 'none were counted a year before'
        end as change_reason,
        case
            when this.framework in ('tensorflow', 'pytorch')
                then this.downloads_per_day / nullif(tensorflow.downloads_per_day + pytorch.downloads_per_day, 0)
        end as share_of_pair
    from figures as this
    left join figures as tensorflow
        on
            this.month = tensorflow.month
            and this.series = tensorflow.series
            and this.counted = tensorflow.counted
            and tensorflow.framework = 'tensorflow'
    left join figures as pytorch
        on
            this.month = pytorch.month
            and this.series = pytorch.series
            and this.counted = pytorch.counted
            and pytorch.framework = 'pytorch'
    left join figures as last
        on
            this.month = last.month + interval 1 year
            and this.series = last.series
            and this.counted = last.counted
            and this.framework = last.framework
),

final as (
    select
        compared.month,
        compared.series,
        compared.segment,
        compared.counted,
        compared.framework,
        compared.downloads_per_day,
        -- A median over three figures lets a single spike of automatic installations pass.
        case
            when count(compared.downloads_per_day) over three = 3
                then median(compared.downloads_per_day) over three
        end as median_of_3_months,
        compared.per_tensorflow,
        compared.share_of_pair,
        compared.change_12_months,
        compared.change_reason,
        compared.is_partial,
        compared.gap_reason,
        trouble.trouble
    from compared
    left join trouble on compared.month = trouble.month and compared.series = trouble.series
    window
        three as (
            partition by compared.series, compared.segment, compared.counted, compared.framework
            order by compared.month
            range between interval 2 months preceding and current row
        )
)

select * from final
