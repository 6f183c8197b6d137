with months as (
    select * from marts.deployment
    -- A series that follows one side only compares nothing.
    where has_both_sides
),

measured as (
    select
        measure || ' in the month' as formula,
        source,
        series,
        month as as_of,
        month as since,
        tensorflow / nullif(pytorch, 0) as value,
        cast(coalesce(tensorflow, 0) + coalesce(pytorch, 0) as bigint) as n,
        tensorflow as numerator,
        pytorch as denominator,
        case when tensorflow / nullif(pytorch, 0) is null then 'one side has no figure' end as cannot_decide,
        cast(tensorflow is null or pytorch is null as bigint) as months_lacking,
        cast(is_partial as bigint) as months_partial,
        lacking
    from months
)

select * from measured
