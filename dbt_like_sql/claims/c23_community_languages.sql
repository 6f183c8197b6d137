with years as (
    select * from marts.questions_over_12_months
    where tagged in ('tensorflow;julia', 'tensorflow;rust', 'tensorflow;scala', 'tensorflow;haskell')
),

definitions as (
    select * from meta.definitions
    where claim = 'C23'
),

closed_months as (
    select * from meta.months
),

measured as (
    select
        *,
        'questions on ' || replace(tagged, ';', ' and ') as formula
    from years
),

unmeasured as (
    select
        definitions.formula as definition,
        (select max(closed_months.month) from closed_months) as as_of,
        cast(null as double) as value,
        cast(0 as bigint) as n,
        cast(json_object('cannot_decide', 'no figures for: ' || definitions.meaning) as varchar) as detail
    from definitions
    anti join measured on definitions.formula = measured.formula
),

final as (
    select
        formula || ', ' || series as definition,
        as_of,
        round(per_month, 9) as value,
        asked as n,
        cast(json_object(
            'source', 'stackoverflow', 'since', since, 'numerator', asked, 'denominator', months_found,
            'months_lacking', months_lacking, 'months_partial', 0, 'cannot_decide', gap_reason
        ) as varchar) as detail
    from measured
    union all
    select * from unmeasured
)

select * from final
