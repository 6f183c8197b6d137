-- A composite, not a measurement: the sources averaged, each held against the mean of TensorFlow and PyTorch.
with composites as (
    select
        *,
        count(score) over (partition by composite) as scores
    from marts.composite
)

select
    month,
    composite,
    framework,
    score,
    array_to_string(sources, ', ') as sources,
    weights,
    reason
from composites
where scores > 0
order by composite, framework, month
