-- Every verdict: one row for each claim, definition and as-of month. Where the series breaks, a new segment begins.
with breaks as (
    select
        source,
        series,
        first_day
    from meta.outages
    where kind = 'break'
)

select
    verdicts.claim,
    verdicts.definition,
    verdicts.formula,
    verdicts.series,
    verdicts.as_of,
    verdicts.value,
    verdicts.low,
    verdicts.high,
    verdicts.threshold,
    definitions.upper,
    verdicts.rule,
    definitions.unit,
    definitions.meaning,
    verdicts.n,
    verdicts.least_n,
    verdicts.verdict,
    verdicts.headline,
    verdicts.source,
    verdicts.sentence,
    verdicts.takes,
    definitions.due,
    (
        select count(*)
        from breaks
        where
            breaks.source = verdicts.source
            and starts_with(verdicts.series, coalesce(breaks.series, ''))
            and breaks.first_day < verdicts.as_of + interval 1 month
    ) as segment
from marts.verdicts as verdicts
left join meta.definitions as definitions
    on verdicts.claim = definitions.claim and verdicts.formula = definitions.formula
order by verdicts.claim, definitions.rowid, verdicts.series, verdicts.as_of
