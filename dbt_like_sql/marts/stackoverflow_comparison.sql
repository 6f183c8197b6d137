with questions as (
    select * from staging.stackoverflow
),

tags as (
    select * from meta.tags
    where role = 'core'
),

figures as (
    select
        questions.month,
        questions.series,
        tags.framework,
        questions.questions,
        questions.site_questions,
        questions.share,
        questions.is_estimated,
        questions.is_share_estimated,
        questions.gap_reason
    from questions
    inner join tags on questions.tagged = tags.tagged
),

-- A year is whole only with twelve figures: a hole in it makes no smaller year.
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
            partition by series, framework
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
        max(this.share) over (partition by this.series, this.framework order by this.month) as highest_share_so_far
    from yearly as this
    left join yearly as pytorch
        on this.month = pytorch.month and this.series = pytorch.series and pytorch.framework = 'pytorch'
    left join yearly as last
        on
            this.month = last.month + interval 1 year
            and this.series = last.series
            and this.framework = last.framework
),

final as (
    select
        month,
        series,
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
        share / nullif(highest_share_so_far, 0) - 1 as share_from_peak,
        is_estimated,
        is_share_estimated,
        gap_reason
    from compared
)

select * from final
