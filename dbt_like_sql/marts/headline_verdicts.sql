with verdicts as (
    select * from marts.verdicts
),

claims as (
    select * from meta.claims
),

closed_months as (
    select * from meta.months
),

-- A listing of today is of the month that is still open: that month is one to judge in, too.
months as (
    select month as as_of from closed_months
    union
    select as_of from verdicts
    where as_of > (select max(closed_months.month) from closed_months)
),

wanted as (
    select
        claims.claim,
        claims.title,
        claims.kind,
        claims.reason,
        months.as_of
    from claims
    cross join months
),

definitions as (
    select distinct
        claim,
        definition
    from verdicts
    where as_of is not null
),

-- What each definition said last, at or before the month.
latest as (
    select
        wanted.claim,
        wanted.as_of,
        definitions.definition,
        verdicts.as_of as measured,
        -- What has no series is a date, not a figure that somebody counts: a date does not age.
        case when verdicts.series is null then 0 else datediff('month', verdicts.as_of, wanted.as_of) end as age,
        verdicts.verdict,
        verdicts.leans_on_gap,
        coalesce(verdicts.drift_flips, false) as drift_flips,
        verdicts.headline and verdicts.verdict in ('supported', 'refuted') as could_decide
    from wanted
    inner join definitions on wanted.claim = definitions.claim
    asof inner join verdicts
        on
            definitions.claim = verdicts.claim
            and definitions.definition = verdicts.definition
            and wanted.as_of >= verdicts.as_of
),

-- After five years a figure says what was, not what is.
aged as (
    select
        claim,
        as_of,
        definition,
        measured,
        age,
        leans_on_gap,
        drift_flips,
        could_decide,
        could_decide and age <= 60 as decides,
        case when verdict = 'insufficient_data' or age > 60 then 'undecided' else verdict end as camp
    from latest
),

summed as (
    select
        claim,
        as_of,
        count(*) filter (where decides and camp = 'supported') as headline_for,
        count(*) filter (where decides and camp = 'refuted') as headline_against,
        max(measured) filter (where could_decide) as measured,
        min(age) filter (where could_decide) as stale_months,
        list(definition order by definition) filter (where camp = 'supported') as definitions_for,
        list(definition order by definition) filter (where camp = 'refuted') as definitions_against,
        list(definition order by definition) filter (where camp = 'undecided') as definitions_undecided,
        list(definition order by definition) filter (where decides and camp = 'supported') as deciding_for,
        list(definition order by definition) filter (where decides and camp = 'refuted') as deciding_against,
        list(definition order by definition) filter (where camp != 'undecided' and drift_flips) as drift_flips,
        list(definition order by definition) filter (where camp != 'undecided' and leans_on_gap) as leans_on_gap
    from aged
    group by claim, as_of
),

judged as (
    select
        wanted.claim,
        wanted.title,
        wanted.as_of,
        case
            when wanted.kind = 'not_measurable' then 'not_measurable'
            when summed.headline_for > 0 and summed.headline_against > 0 then 'mixed'
            when summed.headline_for > 0 then 'supported'
            when summed.headline_against > 0 then 'refuted'
            else 'insufficient_data'
        end as verdict,
        summed.measured,
        summed.stale_months,
        coalesce(summed.headline_for, 0) as headline_for,
        coalesce(summed.headline_against, 0) as headline_against,
        coalesce(summed.definitions_for, []) as definitions_for,
        coalesce(summed.definitions_against, []) as definitions_against,
        coalesce(summed.definitions_undecided, []) as definitions_undecided,
        summed.deciding_for,
        summed.deciding_against,
        coalesce(summed.drift_flips, []) as drift_flips,
        coalesce(summed.leans_on_gap, []) as leans_on_gap,
        wanted.reason
    from wanted
    left join summed on wanted.claim = summed.claim and wanted.as_of = summed.as_of
),

final as (
    select
        claim,
        title,
        as_of,
        verdict,
        measured,
        stale_months,
        case
            when verdict = 'not_measurable' then coalesce(reason, 'none of the sources can measure it')
            when verdict != 'insufficient_data' then null
            when measured is not null
                then
                    'the last figure is from ' || strftime(measured, '%Y-%m') || ', ' || stale_months
                    || ' months before'
            when len(definitions_for) + len(definitions_against) + len(definitions_undecided) = 0
                then 'nothing was measured by then'
            else 'no definition of the headline decides'
        end as why,
        headline_for,
        headline_against,
        definitions_for,
        definitions_against,
        definitions_undecided,
        -- Judged by one of these alone, the claim gets another verdict.
        case verdict
            when 'supported' then definitions_against
            when 'refuted' then definitions_for
            when 'not_measurable' then []
            else list_sort(list_concat(definitions_for, definitions_against))
        end as flipped_by,
        -- Without one of these, the others of the headline give another verdict.
        case
            when headline_for + headline_against = 1 then coalesce(deciding_for, deciding_against)
            when headline_for = 1 and headline_against = 1 then list_sort(list_concat(deciding_for, deciding_against))
            when headline_for = 1 and headline_against > 0 then deciding_for
            when headline_against = 1 and headline_for > 0 then deciding_against
            else []
        end as hangs_on,
        drift_flips,
        leans_on_gap
    from judged
)

select * from final
