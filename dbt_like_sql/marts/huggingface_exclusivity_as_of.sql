with models as (
    select * from staging.huggingface
),

populations as (
    select * from meta.populations
    where source = 'huggingface'
),

closed_months as (
    select * from meta.months
),

-- Models are known as they stood when somebody looked, and no earlier.
looks as (
    select distinct
        series,
        observed_month as as_of
    from models
    where formats is not null
),

-- Most files in the format safetensors are PyTorch's, but their models carry no tag that says so.
rules as (
    select
        safetensors.safetensors_is_pytorch,
        wholes.whole,
        wholes.without_jax,
        wholes.whole
        || if(safetensors.safetensors_is_pytorch, ' with safetensors as pytorch', '')
        || if(wholes.without_jax, ' and without jax', '') as formula
    from (values (false), (true)) as safetensors (safetensors_is_pytorch)
    cross join (
        values
        ('of all models', false),
        ('of models of a known framework', false),
        ('of models of a known framework', true),
        ('of pytorch or tensorflow models', false)
    ) as wholes (whole, without_jax)
),

seen as (
    select
        looks.series,
        looks.as_of,
        rules.formula,
        rules.whole,
        models.models,
        models.has_pytorch or (rules.safetensors_is_pytorch and models.has_safetensors) as is_pytorch,
        models.has_tensorflow as is_tensorflow,
        models.has_jax or models.has_keras as is_other,
        rules.without_jax and models.has_jax as is_left_out
    from looks
    cross join rules
    inner join models on looks.series = models.series and looks.as_of >= models.observed_month
    where models.formats is not null
),

counted as (
    select
        series,
        as_of,
        formula,
        sum(models) filter (
            where
            whole = 'of all models'
            or is_pytorch
            or is_tensorflow
            or (whole = 'of models of a known framework' and is_other)
        ) as models,
        coalesce(sum(models) filter (where is_pytorch and not is_tensorflow and not is_left_out), 0) as pytorch_only,
        coalesce(sum(models) filter (where is_tensorflow and not is_pytorch and not is_left_out), 0) as tensorflow_only,
        coalesce(sum(models) filter (where is_pytorch and is_tensorflow and not is_left_out), 0) as in_both
    from seen
    group by series, as_of, formula
),

by_tag as (
    select
        series,
        observed_month as as_of,
        max(models) filter (where lower(library) = 'pytorch') as pytorch,
        max(models) filter (where lower(library) = 'tensorflow') as tensorflow
    from models
    where series = 'hub, by tag'
    group by series, observed_month
),

-- What counts by tag leave possible: every model with the rarer tag has the other one, too, or no model has both.
bounds as (
    select
        series,
        as_of,
        'of pytorch or tensorflow models at least' as formula,
        greatest(pytorch, tensorflow) as models,
        greatest(pytorch - tensorflow, 0) as pytorch_only,
        greatest(tensorflow - pytorch, 0) as tensorflow_only,
        least(pytorch, tensorflow) as in_both
    from by_tag
    where pytorch is not null and tensorflow is not null
    union all
    select
        series,
        as_of,
        'of pytorch or tensorflow models at most' as formula,
        pytorch + tensorflow as models,
        pytorch as pytorch_only,
        tensorflow as tensorflow_only,
        0 as in_both
    from by_tag
    where pytorch is not null and tensorflow is not null
),

forms as (
    select * from counted
    union all
    select * from bounds
),

-- The claims are on all models: months of creation that nobody fetched would make them some of them.
completeness as (
    select
        looks.series,
        looks.as_of,
        count(distinct closed_months.month) - count(distinct models.month) filter (where models.models is not null)
            as months_lacking
    from looks
    inner join closed_months
        on closed_months.month >= date '2022-03-01' and looks.as_of > closed_months.month
    left join models
        on
            looks.series = models.series
            and looks.as_of >= models.observed_month
            and closed_months.month = models.month
    where looks.series in ('hub', 'hub, parquet')
    group by looks.series, looks.as_of
),

final as (
    select
        forms.series,
        forms.as_of,
        forms.formula,
        forms.models::bigint as models,
        forms.pytorch_only::bigint as pytorch_only,
        forms.tensorflow_only::bigint as tensorflow_only,
        forms.in_both::bigint as in_both,
        coalesce(
            case when populations.is_sample then populations.what end,
            case
                when completeness.months_lacking > 0
                    then 'months of creation that were not looked at: ' || completeness.months_lacking
            end,
            case when coalesce(forms.models, 0) = 0 then 'no such model was seen' end
        ) as cannot_decide
    from forms
    left join populations on forms.series = populations.population
    left join completeness on forms.series = completeness.series and forms.as_of = completeness.as_of
)

select * from final
