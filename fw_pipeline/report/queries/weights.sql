-- What weighs how much in each composite that has a score.
with drawn as (
    select composite
    from marts.composite
    group by composite
    having count(score) > 0
)

select
    weights.composite,
    weights.source,
    weights.definition,
    weights.weight / sum(weights.weight) over (partition by weights.composite) as weight,
    weights.window_months,
    weights.reason
from meta.composite_weights as weights
inner join drawn on weights.composite = drawn.composite
order by weights.composite, weights.source
