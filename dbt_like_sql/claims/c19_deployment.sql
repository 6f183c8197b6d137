with months as (
    select * from marts.deployment
    -- A series that follows one side only compares nothing.
    where has_both_sides
),

unmeasured as (
    select
        definition,
        as_of,
        value,
        n,
        detail
    from meta.unmeasured
    where claim = 'C19'
),

measured as (
    select
        measure || ' in the month' as formula,
        source,
        series,
        month as as_of,
        month as from_month,
        tensorflow / nullif(pytorch, 0) as value,
        cast(coalesce(tensorflow, 0) + coalesce(pytorch, 0) as bigint) as n,
        tensorflow as numerator,
        pytorch as denominator,
        case when tensorflow / nullif(pytorch, 0) is null then 'one side has no figure' end as cannot_decide,
        if(tensorflow is null or pytorch is null, 1, 0) as months_lacking,
        if(is_partial, 1, 0) as months_partial,
        lacking,
        null as remark
    from months
),

final as (
    select
        formula || ', ' || series as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object(
            'source', source, 'since', from_month, 'numerator', round(numerator, 9),
            'denominator', round(denominator, 9), 'months_lacking', months_lacking, 'months_partial', months_partial,
            'lacking', lacking, 'note', remark, 'cannot_decide', cannot_decide
        ) as varchar) as detail
    from measured
    union all
    select unmeasured.* from unmeasured
    anti join measured on unmeasured.definition = measured.formula
)

select * from final
