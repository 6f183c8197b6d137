with definitions as (
    select * from meta.definitions
    where claim = 'C23'
),

years as (
    select
        *,
        'questions on ' || replace(tagged, ';', ' and ') as formula
    from marts.questions_over_12_months
),

totals as (
    select
        *,
        'questions so far on ' || replace(tagged, ';', ' and ') as formula,
        cast(date_trunc('month', observed_on) as date) as as_of,
        datediff('month', date '2015-11-01', observed_on) + 1 as months
    from meta.question_totals
    where asked_from is null and side in ('exact', 'at most')
),

interfaces as (
    select
        language,
        min(cast(date_trunc('month', since) as date)) as month
    from meta.bindings
    where
        framework = 'tensorflow'
        and kind = 'community'
        and since is not null
        and language in ('julia', 'rust', 'scala', 'haskell')
    group by language
),

-- The definitions name the tags.
measured as (
    select
        'languages with a community binding' as formula,
        'bindings' as source,
        null as series,
        ends.month as as_of,
        null as since,
        cast(count(interfaces.language) as double) as value,
        value as low,
        value as high,
        cast(4 as bigint) as n,
        value as numerator,
        null as denominator,
        null as months_lacking,
        string_agg(interfaces.language, ', ' order by interfaces.language) as note,
        null as cannot_decide
    from (select distinct month from interfaces) as ends
    inner join interfaces on ends.month >= interfaces.month
    group by ends.month
    union all
    select
        years.formula,
        'stackoverflow' as source,
        years.series,
        years.as_of,
        years.since,
        years.per_month as value,
        years.per_month as low,
        years.per_month as high,
        years.months_found as n,
        cast(years.asked as double) as numerator,
        cast(years.months_found as double) as denominator,
        years.months_lacking,
        null as note,
        years.gap_reason as cannot_decide
    from years
    inner join definitions on years.formula = definitions.formula
    union all
    -- Of a pair that is not listed, no more is known than how many there are at most.
    select
        totals.formula,
        'stackoverflow' as source,
        totals.origin as series,
        totals.as_of,
        date '2015-11-01' as since,
        totals.questions / totals.months as value,
        if(totals.side = 'exact', totals.questions / totals.months, 0) as low,
        totals.questions / totals.months as high,
        totals.months as n,
        cast(totals.questions as double) as numerator,
        cast(totals.months as double) as denominator,
        0 as months_lacking,
        totals.method as note,
        null as cannot_decide
    from totals
    inner join definitions on totals.formula = definitions.formula
)

select * from measured
