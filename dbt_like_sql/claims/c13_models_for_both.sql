with models as (
    select * from marts.huggingface_exclusivity_as_of
),

-- Counts by tag are two rows: as many models as the rarer tag has may be for both, or none.
forms as (
    select
        replace(formula, ' at least', '') as formula,
        series,
        as_of,
        in_both as part,
        models as whole,
        case when ends_with(formula, ' at least') then cast(0 as double) end as low,
        null as high,
        cannot_decide
    from models
    where not ends_with(formula, ' at most')
    union all
    -- What is for neither of them alone must be for both, or it is not "the rest".
    select
        replace(formula, 'of models of', 'of the rest of the models of') as formula,
        series,
        as_of,
        in_both as part,
        models - pytorch_only - tensorflow_only as whole,
        null as low,
        null as high,
        cannot_decide
    from models
    where starts_with(formula, 'of models of a known framework') and not ends_with(formula, 'without jax')
    union all
    -- The 8 and the 7 percent of the article together.
    select
        'usable with tensorflow at all' as formula,
        models.series,
        models.as_of,
        models.tensorflow_only + models.in_both as part,
        models.models as whole,
        null as low,
        (fewest.tensorflow_only + fewest.in_both) / nullif(fewest.models, 0) as high,
        models.cannot_decide
    from models
    left join models as fewest
        on
            models.series = fewest.series
            and models.as_of = fewest.as_of
            and ends_with(models.formula, ' at most')
            and ends_with(fewest.formula, ' at least')
    where models.formula in ('of pytorch or tensorflow models', 'of pytorch or tensorflow models at most')
),

measured as (
    select
        formula,
        'huggingface' as source,
        series,
        as_of,
        part / nullif(whole, 0) as value,
        low,
        high,
        coalesce(whole, 0) as n,
        cast(part as double) as numerator,
        cast(whole as double) as denominator,
        coalesce(cannot_decide, case when coalesce(whole, 0) = 0 then 'no such model was seen' end) as cannot_decide
    from forms
)

select * from measured
