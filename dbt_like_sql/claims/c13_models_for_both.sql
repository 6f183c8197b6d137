with models as (
    select * from marts.huggingface_exclusivity_as_of
    -- Counts by tag say nothing of models for both.
    where series != 'hub, by tag'
),

unmeasured as (
    select
        definition,
        as_of,
        value,
        n,
        detail
    from meta.unmeasured
    where claim = 'C13'
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
        cast(null as date) as from_month,
        in_both / nullif(whole, 0) as value,
        coalesce(whole, 0) as n,
        in_both as numerator,
        whole as denominator,
        coalesce(cannot_decide, case when coalesce(whole, 0) = 0 then 'no such model was seen' end) as cannot_decide,
        0 as months_lacking,
        0 as months_partial,
        null as remark
    from forms
),

final as (
    select
        formula || ', ' || series as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object(
            'source', source, 'since', from_month, 'numerator', round(numerator, 9),
            'denominator', round(denominator, 9), 'months_lacking', months_lacking, 'months_partial', months_partial,
            'note', remark, 'cannot_decide', cannot_decide
        ) as varchar) as detail
    from measured
    union all
    select unmeasured.* from unmeasured
    anti join measured on unmeasured.definition = measured.formula
)

select * from final
