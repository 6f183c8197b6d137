with windows as (
    select * from marts.paired_windows
    where measure = 'questions' and months in (1, 3, 12) and since >= first_month
),

measured as (
    select
        case published.months
            when 1 then 'questions in the month'
            else 'questions over ' || published.months || ' months'
        end as formula,
        published.source,
        published.series,
        published.as_of,
        published.since,
        case when published.is_enough then published.tensorflow / nullif(published.pytorch, 0) end as value,
        case when exact.is_enough or exact.months = 1 then exact.tensorflow / nullif(exact.pytorch, 0) end
            as exact_value,
        cast(coalesce(published.tensorflow + published.pytorch, 0) as bigint) as n,
        published.tensorflow as numerator,
        published.pytorch as denominator,
        published.months_lacking,
        case
            when not published.is_enough or coalesce(published.pytorch, 0) = 0
                then coalesce(published.gap_reason, 'no questions on pytorch to compare with')
        end as cannot_decide
    from windows as published
    left join windows as exact
        on
            published.measure = exact.measure
            and published.series = exact.series
            and published.months = exact.months
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where published.basis = 'published'
)

select * from measured
