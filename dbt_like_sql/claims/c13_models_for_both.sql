with models as (
    select * from marts.huggingface_exclusivity_as_of
    -- Counts by tag say nothing of models for both.
    where series != 'hub, by tag'
),

definitions as (
    select * from meta.definitions
    where claim = 'C13'
),

closed_months as (
    select * from meta.months
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

unmeasured as (
    select
        definitions.formula as definition,
        (select max(closed_months.month) from closed_months) as as_of,
        cast(null as double) as value,
        cast(0 as bigint) as n,
        cast(json_object('cannot_decide', 'no figures for: ' || definitions.meaning) as varchar) as detail
    from definitions
    anti join measured on definitions.formula = measured.formula
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
    select * from unmeasured
)

select * from final
