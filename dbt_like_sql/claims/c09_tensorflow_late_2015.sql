with frameworks as (
    select * from meta.frameworks
    where framework = 'tensorflow' and released is not null
),

definitions as (
    select * from meta.definitions
    where claim = 'C9'
),

closed_months as (
    select * from meta.months
),

measured as (
    select
        'release date as a year' as formula,
        cast(date_trunc('month', released) as date) as as_of,
        year(released) + (dayofyear(released) - 1) / dayofyear(make_date(year(released), 12, 31)) as value,
        cast(1 as bigint) as n,
        released || ': ' || coalesce(release_reference, 'no reference') as note,
        case
            when
                coalesce(release_reference, 'from memory') like '%from memory%'
                then 'the release date has no source yet'
        end as cannot_decide
    from frameworks
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
        formula as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object('source', 'releases', 'note', note, 'cannot_decide', cannot_decide) as varchar) as detail
    from measured
    union all
    select * from unmeasured
)

select * from final
