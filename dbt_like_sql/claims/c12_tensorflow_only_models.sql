with models as (
    select * from staging.huggingface
),

populations as (
    select * from meta.populations
    where source = 'huggingface'
),

definitions as (
    select * from meta.definitions
    where claim = 'C12'
),

closed_months as (
    select * from meta.months
),

-- Models are known as they stood when somebody looked, and no earlier.
looks as (
    select distinct
        series,
        observed_month
    from models
    where formats is not null
),

rules as (
    select unnest([false, true]) as safetensors_count
),

-- Most files in the format safetensors are PyTorch's, but their models carry no tag that says so.
seen as (
    select
        looks.series,
        looks.observed_month as as_of,
        rules.safetensors_count,
        models.month,
        models.models,
        models.has_pytorch or (rules.safetensors_count and models.has_safetensors) as is_pytorch,
        models.has_tensorflow as is_tensorflow,
        models.has_jax as is_jax,
        models.has_jax or models.has_keras as is_other
    from looks
    cross join rules
    inner join models on looks.series = models.series and looks.observed_month >= models.observed_month
    where models.formats is not null
),

sums as (
    select
        series,
        as_of,
        safetensors_count,
        sum(models) as everything,
        sum(models) filter (where is_pytorch or is_tensorflow or is_other) as known,
        sum(models) filter (where is_pytorch or is_tensorflow) as either,
        coalesce(sum(models) filter (where is_tensorflow and not is_pytorch), 0) as tensorflow_only,
        coalesce(sum(models) filter (where is_tensorflow and not is_pytorch and not is_jax), 0) as nothing_else
    from seen
    group by series, as_of, safetensors_count
),

named as (
    select
        *,
        if(safetensors_count, ' with safetensors as pytorch', '') as rule
    from sums
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

forms as (
    select
        series,
        as_of,
        'of all models' || rule as formula,
        tensorflow_only as part,
        everything as whole,
        null as bound
    from named
    union all
    select
        series,
        as_of,
        'of models of a known framework' || rule as formula,
        tensorflow_only as part,
        known as whole,
        null as bound
    from named
    union all
    select
        series,
        as_of,
        'of models of a known framework' || rule || ' and without jax' as formula,
        nothing_else as part,
        known as whole,
        null as bound
    from named
    union all
    select
        series,
        as_of,
        'of pytorch or tensorflow models' || rule as formula,
        tensorflow_only as part,
        either as whole,
        null as bound
    from named
    union all
    -- If no model had both tags, this share would be TensorFlow's alone: the most possible.
    select
        series,
        as_of,
        'of pytorch or tensorflow models at most' as formula,
        tensorflow as part,
        pytorch + tensorflow as whole,
        greatest(tensorflow - pytorch, 0) / greatest(pytorch, tensorflow) as bound
    from by_tag
    where pytorch is not null and tensorflow is not null
),

-- The claim is on all models: months of creation that nobody fetched would make it one on some of them.
completeness as (
    select
        looks.series,
        looks.observed_month as as_of,
        count(distinct closed_months.month) - count(distinct models.month) filter (where models.models is not null)
            as months_lacking
    from looks
    inner join closed_months
        on closed_months.month >= date '2022-03-01' and looks.observed_month > closed_months.month
    left join models
        on
            looks.series = models.series
            and looks.observed_month >= models.observed_month
            and closed_months.month = models.month
    where looks.series in ('hub', 'hub, parquet')
    group by looks.series, looks.observed_month
),

measured as (
    select
        forms.formula,
        'huggingface' as source,
        forms.series,
        forms.as_of,
        cast(null as date) as from_month,
        forms.part / nullif(forms.whole, 0) as value,
        cast(coalesce(forms.whole, 0) as bigint) as n,
        forms.part as numerator,
        forms.whole as denominator,
        coalesce(
            case when populations.is_sample then populations.what end,
            case
                when completeness.months_lacking > 0
                    then 'months of creation that were not looked at: ' || completeness.months_lacking
            end,
            case when coalesce(forms.whole, 0) = 0 then 'no such model was seen' end,
            -- Only an interval that lies wholly inside or wholly outside the band decides.
            case
                when
                    forms.part / forms.whole >= definitions.threshold
                    and forms.bound <= definitions.upper
                    and (forms.bound < definitions.threshold or forms.part / forms.whole > definitions.upper)
                    then 'counts by tag give bounds only, and the band is partly between them'
            end
        ) as cannot_decide,
        0 as months_lacking,
        0 as months_partial,
        'counts by tag bound the share: at least ' || round(forms.bound, 3) as remark
    from forms
    left join populations on forms.series = populations.population
    left join definitions on forms.formula = definitions.formula
    left join completeness on forms.series = completeness.series and forms.as_of = completeness.as_of
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
