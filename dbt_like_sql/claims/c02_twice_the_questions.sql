with questions as (
    select * from staging.stackoverflow
    where tagged in ('tensorflow', 'pytorch')
),

bases as (
    select unnest(['published', 'exact']) as basis
),

lengths as (
    select
        'questions in the month' as formula,
        1 as months
    union all
    select
        'questions over 3 months' as formula,
        3 as months
    union all
    select
        'questions over 12 months' as formula,
        12 as months
),

-- Each figure twice: as published, and with the interpolated ones left out.
figures as (
    select
        bases.basis,
        questions.series,
        questions.month,
        max(questions.questions) filter (where questions.tagged = 'tensorflow') as tensorflow,
        max(questions.questions) filter (where questions.tagged = 'pytorch') as pytorch,
        min(questions.gap_reason) as gap_reason
    from questions
    cross join bases
    where bases.basis = 'published' or questions.is_estimated is distinct from true
    group by bases.basis, questions.series, questions.month
),

-- A month counts for both tags or for none: otherwise a gap of one would move the ratio.
pairs as (
    select
        basis,
        series,
        month,
        gap_reason,
        case when pytorch is not null then tensorflow end as tensorflow,
        case when tensorflow is not null then pytorch end as pytorch
    from figures
),

ends as (
    select
        bases.basis,
        lengths.formula,
        lengths.months,
        pairs.series,
        pairs.month as as_of,
        -- Without the month's own estimate, the last exact month stands in, if it is near.
        case when bases.basis = 'exact' and lengths.months = 1 then 4 else lengths.months end as months_back,
        min(pairs.month) filter (where pairs.tensorflow is not null) over (partition by pairs.series) as first_month
    from pairs
    cross join lengths
    cross join bases
    where pairs.basis = 'published'
),

windows as (
    select
        ends.basis,
        ends.formula,
        ends.months,
        ends.series,
        ends.as_of,
        count(pairs.tensorflow) as months_found,
        min(pairs.gap_reason) as gap_reason,
        case
            when ends.months = 1 then arg_max(pairs.tensorflow, pairs.month)
            else sum(pairs.tensorflow)
        end as tensorflow,
        case
            when ends.months = 1 then arg_max(pairs.pytorch, pairs.month)
            else sum(pairs.pytorch)
        end as pytorch
    from ends
    left join pairs
        on
            ends.basis = pairs.basis
            and ends.series = pairs.series
            and pairs.month between ends.as_of - to_months(ends.months_back - 1) and ends.as_of
    where ends.as_of - to_months(ends.months - 1) >= ends.first_month
    group by ends.basis, ends.formula, ends.months, ends.series, ends.as_of
),

ratios as (
    select
        *,
        case when months_found * 3 >= months * 2 then tensorflow / nullif(pytorch, 0) end as ratio
    from windows
),

measured as (
    select
        formula,
        'stackoverflow' as source,
        series,
        as_of,
        cast(as_of - to_months(any_value(months) - 1) as date) as since,
        max(ratio) filter (where basis = 'published') as value,
        max(ratio) filter (where basis = 'exact') as exact_value,
        cast(coalesce(sum(tensorflow + pytorch) filter (where basis = 'published'), 0) as bigint) as n,
        cast(max(tensorflow) filter (where basis = 'published') as double) as numerator,
        cast(max(pytorch) filter (where basis = 'published') as double) as denominator,
        case
            when max(ratio) filter (where basis = 'published') is null
                then coalesce(
                    max(gap_reason) filter (where basis = 'published'), 'no questions on pytorch to compare with'
                )
        end as cannot_decide,
        any_value(months) - max(months_found) filter (where basis = 'published') as months_lacking
    from ratios
    group by formula, series, as_of
)

select * from measured
