with years as (
    select * from marts.questions_over_12_months
),

definitions as (
    select * from meta.definitions
    where claim = 'C23'
),

unmeasured as (
    select
        definition,
        as_of,
        value,
        n,
        detail
    from meta.unmeasured
    where claim = 'C23'
),

-- The definitions name the tags.
measured as (
    select
        years.*,
        definitions.formula
    from years
    inner join definitions on 'questions on ' || replace(years.tagged, ';', ' and ') = definitions.formula
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
    select unmeasured.* from unmeasured
    anti join measured on unmeasured.definition = measured.formula
)

select * from final
