with frameworks as (
    select * from meta.frameworks
    where framework in ('keras', 'tensorflow') and released is not null
),

definitions as (
    select * from meta.definitions
    where claim = 'C5'
),

released as (
    select
        max(released) filter (where framework = 'keras') as keras,
        max(released) filter (where framework = 'tensorflow') as tensorflow,
        max(released) as later,
        string_agg(
            framework || ' ' || released || ': ' || coalesce(release_reference, 'no reference'), '; ' order by framework
        )
            as note,
        bool_or(coalesce(release_reference, 'from memory') like '%from memory%') as is_unproven
    from frameworks
    having count(*) = 2
),

-- 30.4375 days are the month of a calendar with leap years.
measured as (
    select
        definitions.formula,
        'releases' as source,
        cast(date_trunc('month', released.later) as date) as as_of,
        abs(date_diff('day', released.keras, released.tensorflow)) / 30.4375 as value,
        cast(2 as bigint) as n,
        released.note,
        case when released.is_unproven then 'a release date has no source yet' end as cannot_decide
    from released
    cross join definitions
)

select * from measured
