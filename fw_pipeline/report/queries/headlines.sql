-- The verdict on every claim in every as-of month: what it is, by figures of when, by which sources, and why.
select
    claim,
    as_of,
    verdict,
    measured,
    ahead_verdict,
    came_true_since,
    carried_verdict,
    carried_measured,
    why,
    sources_for,
    sources_against,
    sources_mixed,
    definitions_undecided,
    hangs_on,
    drift_flips,
    leans_on_gap
from marts.headline_verdicts
order by claim, as_of
