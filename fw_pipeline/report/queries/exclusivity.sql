-- Models that can be used with PyTorch only, with TensorFlow only, or with both, under every rule of counting;
-- and what the article quoted.
with counted as (
    select
        series,
        month as seen,
        is_sample,
        denominator,
        safetensors_is_pytorch,
        jax_counts,
        models,
        pytorch_only_share,
        in_both_share,
        tensorflow_only_share,
        in_neither_share
    from marts.huggingface_exclusivity
    where scope = 'all that were seen'
),

quoted as (
    select
        max(value) filter (where metric = 'huggingface models pytorch only') as pytorch_only_share,
        max(value) filter (where metric = 'huggingface models tensorflow only') as tensorflow_only_share
    from meta.published_figures
    where as_of = '2021-12'
),

rules as (
    select distinct
        denominator,
        safetensors_is_pytorch,
        jax_counts
    from counted
),

published as (
    select
        'the article (December 2021)' as series,
        date '2021-12-01' as seen,
        false as is_sample,
        rules.denominator,
        rules.safetensors_is_pytorch,
        rules.jax_counts,
        null::bigint as models,
        quoted.pytorch_only_share,
        1 - quoted.pytorch_only_share - quoted.tensorflow_only_share as in_both_share,
        quoted.tensorflow_only_share,
        0 as in_neither_share
    from rules
    cross join quoted
    where quoted.pytorch_only_share is not null
),

every_count as (
    select * from published
    union all by name
    select * from counted
)

select
    series,
    seen,
    is_sample,
    denominator,
    safetensors_is_pytorch,
    jax_counts,
    models,
    pytorch_only_share,
    in_both_share,
    tensorflow_only_share,
    in_neither_share
from every_count
order by seen, series, denominator, safetensors_is_pytorch, jax_counts
