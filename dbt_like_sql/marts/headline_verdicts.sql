with verdicts as (
    select * from marts.verdicts
),

claims as (
    select * from meta.claims
),

months as (
    select distinct
        claim,
        as_of
    from verdicts
    where as_of is not null
),

definitions as (
    select distinct
        claim,
        definition
    from verdicts
    where as_of is not null
),

wanted as (
    select
        months.claim,
        months.as_of,
        definitions.definition
    from months
    inner join definitions on months.claim = definitions.claim
),

-- What each definition said last, at or before the month.
latest as (
    select
        wanted.claim,
        wanted.as_of,
        wanted.definition,
        verdicts.as_of as measured,
        verdicts.verdict,
        verdicts.headline
    from wanted
    asof inner join verdicts
        on
            wanted.claim = verdicts.claim
            and wanted.definition = verdicts.definition
            and wanted.as_of >= verdicts.as_of
    union all
    select
        claim,
        as_of,
        definition,
        as_of as measured,
        verdict,
        headline
    from verdicts
    where as_of is null
),

summed as (
    select
        claim,
        as_of,
        bool_or(verdict = 'not_measurable') as is_not_measurable,
        count(*) filter (where headline and verdict = 'supported') as headline_for,
        count(*) filter (where headline and verdict = 'refuted') as headline_against,
        max(measured) filter (where headline and verdict in ('supported', 'refuted')) as measured,
        list(definition order by definition) filter (where verdict = 'supported') as definitions_for,
        list(definition order by definition) filter (where verdict = 'refuted') as definitions_against,
        list(definition order by definition) filter (where verdict = 'insufficient_data') as definitions_undecided
    from latest
    group by claim, as_of
),

final as (
    select
        summed.claim,
        claims.title,
        summed.as_of,
        case
            when summed.is_not_measurable then 'not_measurable'
            when summed.headline_for > 0 and summed.headline_against > 0 then 'mixed'
            when summed.headline_for > 0 then 'supported'
            when summed.headline_against > 0 then 'refuted'
            else 'insufficient_data'
        end as verdict,
        summed.measured,
        summed.headline_for,
        summed.headline_against,
        coalesce(summed.definitions_for, []) as definitions_for,
        coalesce(summed.definitions_against, []) as definitions_against,
        coalesce(summed.definitions_undecided, []) as definitions_undecided
    from summed
    inner join claims on summed.claim = claims.claim
)

select * from final
