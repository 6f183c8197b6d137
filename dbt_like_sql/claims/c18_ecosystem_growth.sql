with growth as (
    select * from marts.ecosystem_growth
),

measured as (
    select
        formula,
        'pypi' as source,
        series,
        as_of,
        since,
        pytorch / nullif(tensorflow, 0) as value,
        packages as n,
        pytorch as numerator,
        tensorflow as denominator,
        months_lacking,
        months_partial,
        case when value is null then 'one side has too few figures in the window' end as cannot_decide
    from growth
)

select * from measured
