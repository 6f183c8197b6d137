with frameworks as (
    select * from meta.frameworks
    where framework = 'tensorflow' and released is not null
),

measured as (
    select
        'release date as a year' as formula,
        'releases' as source,
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
)

select * from measured
