with frameworks as (
    select * from meta.frameworks
    where framework = 'tensorflow' and released is not null
),

unmeasured as (
    select
        definition,
        as_of,
        value,
        n,
        detail
    from meta.unmeasured
    where claim = 'C9'
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

final as (
    select
        formula as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object('source', 'releases', 'note', note, 'cannot_decide', cannot_decide) as varchar) as detail
    from measured
    union all
    select unmeasured.* from unmeasured
    anti join measured on unmeasured.definition = measured.formula
)

select * from final
