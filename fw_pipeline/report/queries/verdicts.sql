-- Every verdict: one row for each claim, definition and as-of month.
select
    verdicts.claim,
    verdicts.definition,
    verdicts.formula,
    verdicts.series,
    verdicts.as_of,
    verdicts.value,
    verdicts.threshold,
    definitions.upper,
    verdicts.rule,
    definitions.unit,
    definitions.meaning,
    verdicts.n,
    verdicts.least_n,
    verdicts.verdict,
    verdicts.why,
    verdicts.headline
from marts.verdicts as verdicts
left join meta.definitions as definitions
    on verdicts.claim = definitions.claim and verdicts.formula = definitions.formula
order by verdicts.claim, definitions.rowid, verdicts.series, verdicts.as_of
