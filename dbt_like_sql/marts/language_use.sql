with years as (
    select
        *,
        'questions on ' || replace(tagged, ';', ' and ') as formula
    from marts.questions_over_12_months
    where starts_with(tagged, 'tensorflow')
),

totals as (
    select
        *,
        'questions so far on ' || replace(tagged, ';', ' and ') as formula,
        cast(date_trunc('month', observed_on) as date) as as_of,
        datediff('month', date '2015-11-01', observed_on) + 1 as months
    from meta.question_totals
    where asked_from is null and side in ('exact', 'at most') and starts_with(tagged, 'tensorflow;')
),

bindings as (
    select * from meta.bindings
    where framework = 'tensorflow' and since is not null
),

-- The languages that the article names, by who offers an interface for them.
wanted as (
    select
        words.formula,
        words.kind,
        unnest(words.languages) as language,
        len(words.languages) as languages
    from (
        values
        ('languages with an official interface', 'official', ['javascript', 'java', 'c++']),
        ('languages with a community binding', 'community', ['julia', 'rust', 'scala', 'haskell'])
    ) as words (formula, kind, languages)
),

interfaces as (
    select
        wanted.formula,
        wanted.language,
        wanted.languages,
        cast(date_trunc('month', min(bindings.since)) as date) as month
    from wanted
    inner join bindings on wanted.kind = bindings.kind and wanted.language = bindings.language
    group by wanted.formula, wanted.language, wanted.languages
),

ends as (
    select distinct
        formula,
        languages,
        month
    from interfaces
),

final as (
    select
        ends.formula,
        'bindings' as source,
        null as series,
        ends.month as as_of,
        null as since,
        cast(count(interfaces.language) as double) as value,
        value as low,
        cast(ends.languages as bigint) as n,
        value as numerator,
        null as denominator,
        null as months_lacking,
        string_agg(interfaces.language, ', ' order by interfaces.language) as note,
        null as gap_reason
    from ends
    inner join interfaces on ends.formula = interfaces.formula and ends.month >= interfaces.month
    group by ends.formula, ends.languages, ends.month
    union all
    select
        formula,
        'stackoverflow' as source,
        series,
        as_of,
        since,
        per_month as value,
        per_month as low,
        months_found as n,
        cast(asked as double) as numerator,
        cast(months_found as double) as denominator,
        months_lacking,
        null as note,
        gap_reason
    from years
    union all
    -- Of a pair that is not listed, no more is known than how many there are at most.
    select
        formula,
        'stackoverflow' as source,
        origin as series,
        as_of,
        date '2015-11-01' as since,
        questions / months as value,
        if(side = 'exact', questions / months, 0) as low,
        months as n,
        cast(questions as double) as numerator,
        cast(months as double) as denominator,
        0 as months_lacking,
        method as note,
        null as gap_reason
    from totals
)

select * from final
