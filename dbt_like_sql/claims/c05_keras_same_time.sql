with frameworks as (
    select * from meta.frameworks
    where framework in ('keras', 'tensorflow') and released is not null
),

definitions as (
    select * from meta.definitions
    where claim = 'C5'
),

closed_months as (
    select * from meta.months
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
        cast(date_trunc('month', released.later) as date) as as_of,
        abs(date_diff('day', released.keras, released.tensorflow)) / 30.4375 as value,
        cast(2 as bigint) as n,
        released.note,
        case when released.is_unproven then 'a release date has no source yet' end as cannot_decide
    from released
    cross join definitions
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
