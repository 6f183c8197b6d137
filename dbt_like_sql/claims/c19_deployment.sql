with months as (
    select * from marts.deployment
    -- A series that follows one side only compares nothing.
    where has_both_sides
),

totals as (
    select
        totals.origin as series,
        cast(date_trunc('month', totals.observed_on) as date) as as_of,
        sum(totals.questions) filter (where tags.framework = 'tensorflow') as tensorflow,
        sum(totals.questions) filter (where tags.framework = 'pytorch') as pytorch
    from meta.question_totals as totals
    inner join meta.tags as tags on totals.tagged = tags.tagged
    where
        tags.role = 'deployment'
        and tags.framework in ('pytorch', 'tensorflow')
        and totals.side = 'exact'
        and totals.asked_from is null
    group by totals.origin, totals.observed_on
),

-- A package that was in no list of the month is taken at its upper bound, against the side that it makes smaller.
forms as (
    select
        measure || ' in the month' as formula,
        source,
        series,
        month as as_of,
        month as since,
        tensorflow as numerator,
        coalesce(pytorch, pytorch_at_most) as denominator,
        case when pytorch_at_most is not null then tensorflow / pytorch_at_most end as low,
        case when tensorflow_at_most is not null then tensorflow_at_most / nullif(pytorch, 0) end as high,
        case when pytorch is null then 'at least' end as side,
        'the series does not follow ' || unfollowed as unfollowed,
        'one side has no figure' as obstacle,
        is_partial,
        lacking
    from months
    union all
    select
        'questions so far on deployment tags' as formula,
        'stackoverflow' as source,
        series,
        as_of,
        date '2015-11-01' as since,
        tensorflow as numerator,
        pytorch as denominator,
        null as low,
        null as high,
        null as side,
        null as unfollowed,
        'no question on the tools of one side was counted' as obstacle,
        false as is_partial,
        null as lacking
    from totals
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        since,
        numerator / nullif(denominator, 0) as value,
        case when value is not null then low end as low,
        case when value is not null then high end as high,
        case when value is not null then side end as side,
        cast(coalesce(numerator, 0) + coalesce(denominator, 0) as bigint) as n,
        cast(numerator as double) as numerator,
        cast(denominator as double) as denominator,
        cast(numerator is null or denominator is null as bigint) as months_lacking,
        cast(is_partial as bigint) as months_partial,
        lacking,
        case
            when denominator = 0 then 'nothing was counted on one side'
            when value is null then obstacle
            else unfollowed
        end as cannot_decide
    from forms
)

select * from measured
