with models as (
    select * from staging.huggingface
    where formats is not null
),

hub_names as (
    select * from meta.hub_names
),

framework_tags as (
    select coalesce(list(name), []) as names
    from hub_names
    where kind = 'tag' and framework is not null and not is_format
),

rules as (
    select
        denominators.denominator,
        safetensors.safetensors_is_pytorch,
        jax.jax_counts
    from (values ('all models'), ('known framework'), ('pytorch or tensorflow')) as denominators (denominator)
    cross join (values (true), (false)) as safetensors (safetensors_is_pytorch)
    cross join (values (true), (false)) as jax (jax_counts)
),

scoped as (
    select
        'created in the month' as scope,
        month,
        * exclude (month)
    from models
    where month is not null
    union all by name
    select
        'all that were seen' as scope,
        max(observed_month) over (partition by series) as month,
        * exclude (month)
    from models
),

-- Exclusive means: with no other framework that counts. Whether JAX counts is a choice, so both are shown.
sides as (
    select
        scoped.series,
        scoped.is_sample,
        scoped.scope,
        scoped.month,
        scoped.observed_month,
        scoped.models,
        rules.denominator,
        rules.safetensors_is_pytorch,
        rules.jax_counts,
        scoped.has_pytorch or (rules.safetensors_is_pytorch and scoped.has_safetensors) as is_pytorch,
        scoped.has_tensorflow as is_tensorflow,
        rules.jax_counts and scoped.has_jax as is_jax,
        list_has_any(scoped.formats, framework_tags.names)
        or (rules.safetensors_is_pytorch and scoped.has_safetensors) as is_known
    from scoped
    cross join rules
    cross join framework_tags
),

counted as (
    select
        series,
        is_sample,
        scope,
        month,
        max(observed_month) as known_from,
        denominator,
        safetensors_is_pytorch,
        jax_counts,
        sum(models) as models,
        coalesce(sum(models) filter (where is_pytorch and not is_tensorflow and not is_jax), 0) as pytorch_only,
        coalesce(sum(models) filter (where is_tensorflow and not is_pytorch and not is_jax), 0) as tensorflow_only,
        coalesce(sum(models) filter (where is_pytorch and is_tensorflow), 0) as in_both
    from sides
    where
        case denominator
            when 'all models' then true
            when 'known framework' then is_known
            else is_pytorch or is_tensorflow
        end
    group by series, is_sample, scope, month, denominator, safetensors_is_pytorch, jax_counts
),

final as (
    select
        series,
        is_sample,
        scope,
        month,
        known_from,
        denominator,
        safetensors_is_pytorch,
        jax_counts,
        models::bigint as models,
        pytorch_only::bigint as pytorch_only,
        tensorflow_only::bigint as tensorflow_only,
        in_both::bigint as in_both,
        (models - pytorch_only - tensorflow_only - in_both)::bigint as in_neither,
        pytorch_only / nullif(models, 0) as pytorch_only_share,
        tensorflow_only / nullif(models, 0) as tensorflow_only_share,
        in_both / nullif(models, 0) as in_both_share,
        (models - pytorch_only - tensorflow_only - in_both) / nullif(models, 0) as in_neither_share
    from counted
)

select * from final
