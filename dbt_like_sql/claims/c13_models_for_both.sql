with models as (
    select * from marts.huggingface_exclusivity_as_of
    -- Counts by tag say nothing of models for both.
    where series != 'hub, by tag'
),

forms as (
    select
        formula,
        series,
        as_of,
        in_both,
        models as whole,
        cannot_decide
    from models
    union all
    -- What is for neither of them alone must be for both, or it is not "the rest".
    select
        replace(formula, 'of models of', 'of the rest of the models of') as formula,
        series,
        as_of,
        in_both,
        models - pytorch_only - tensorflow_only as whole,
        cannot_decide
    from models
    where starts_with(formula, 'of models of a known framework') and not ends_with(formula, 'without jax')
),

measured as (
    select
        formula,
        'huggingface' as source,
        series,
        as_of,
        in_both / nullif(whole, 0) as value,
        coalesce(whole, 0) as n,
        cast(in_both as double) as numerator,
        cast(whole as double) as denominator,
        coalesce(cannot_decide, case when coalesce(whole, 0) = 0 then 'no such model was seen' end) as cannot_decide
    from forms
)

select * from measured
