with figures as (
    select
        month,
        series,
        segment,
        framework,
        value::bigint as questions,
        denominator::bigint as site_questions,
        share,
        is_estimated,
        is_share_estimated,
        gap_reason
    from marts.framework_metrics
    where source = 'stackoverflow' and metric = 'questions'
),

-- A year is whole only with twelve figures: a hole in it makes no smaller year, and a break no year at all.
yearly as (
    select
        *,
        case when count(questions) over year = 12 then sum(questions) over year end as questions_12_months,
        case
            when count(questions) over year = 12 and count(site_questions) over year = 12
                then sum(questions) over year / nullif(sum(site_questions) over year, 0)
        end as share_12_months
    from figures
    window
        year as (
            partition by series, framework, segment
            order by month
            range between interval 11 months preceding and current row
        )
),

compared as (
    select
        this.*,
        this.questions / nullif(pytorch.questions, 0) as per_pytorch,
        this.questions_12_months / nullif(pytorch.questions_12_months, 0) as per_pytorch_12_months,
        this.questions_12_months / nullif(last.questions_12_months, 0) - 1 as change_12_months,
        this.share_12_months / nullif(last.share_12_months, 0) - 1 as share_change_12_months,
        last.questions_12_months as questions_of_year_before,
        max(this.share) over of_one_kind as highest_share_so_far,
        min(this.month) over of_one_kind as first_of_segment,
        lag(this.month, 23) over whole as first_of_24_months
    from yearly as this
    left join yearly as pytorch
        on this.month = pytorch.month and this.series = pytorch.series and pytorch.framework = 'pytorch'
    left join yearly as last
        on
            this.month = last.month + interval 1 year
            and this.series = last.series
            and this.segment = last.segment
            and this.framework = last.framework
    window
        of_one_kind as (partition by this.series, this.framework, this.segment order by this.month),
        whole as (partition by this.series, this.framework order by this.month)
),

final as (
    select
        month,
        series,
        segment,
        framework,
        questions,
        site_questions,
        share,
        questions_12_months::bigint as questions_12_months,
        share_12_months,
        per_pytorch,
        per_pytorch_12_months,
        change_12_months,
        share_change_12_months,
        case
            when change_12_months is not null then null
            when first_of_24_months < first_of_segment
                then
                    'the way to count changed in ' || strftime(first_of_segment, '%Y-%m')
                    || ': the months before are of another kind (meta.outages)'
            when first_of_24_months is null then 'the series is younger than 24 months'
            when questions_of_year_before = 0 then 'none were counted in the twelve months before'
            else 'one of the 24 months has no figure'
        end as change_reason,
        share / nullif(highest_share_so_far, 0) - 1 as share_from_peak,
        is_estimated,
        is_share_estimated,
        gap_reason
    from compared
)

select * from final
