with definitions as (
    select * from meta.definitions
),

closed_months as (
    select * from meta.months
),

final as (
    select
        claim,
        formula as definition,
        (select max(closed_months.month) from closed_months) as as_of,
        cast(null as double) as value,
        cast(0 as bigint) as n,
        cast(json_object('cannot_decide', 'no figures for: ' || meaning) as varchar) as detail
    from definitions
)

select * from final
