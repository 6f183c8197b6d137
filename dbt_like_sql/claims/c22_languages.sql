with years as (
    select * from marts.questions_over_12_months
),

definitions as (
    select * from meta.definitions
    where claim = 'C22'
),

-- The definitions name the tags.
measured as (
    select
        definitions.formula,
        'stackoverflow' as source,
        years.series,
        years.as_of,
        years.since,
        years.per_month as value,
        years.asked as n,
        cast(years.asked as double) as numerator,
        cast(years.months_found as double) as denominator,
        years.months_lacking,
        years.gap_reason as cannot_decide
    from years
    inner join definitions on 'questions on ' || replace(years.tagged, ';', ' and ') = definitions.formula
)

select * from measured
