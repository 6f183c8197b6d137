with languages as (
    select * from marts.language_use
),

definitions as (
    select * from meta.definitions
    where claim = 'C22'
),

-- The definitions name the languages.
measured as (
    select
        languages.formula,
        languages.source,
        languages.series,
        languages.as_of,
        languages.since,
        languages.value,
        languages.low,
        languages.n,
        languages.numerator,
        languages.denominator,
        languages.months_lacking,
        languages.note,
        languages.gap_reason as cannot_decide
    from languages
    inner join definitions on languages.formula = definitions.formula
)

select * from measured
