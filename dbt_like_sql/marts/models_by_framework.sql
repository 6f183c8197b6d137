with huggingface as (
    select * from staging.huggingface
),

-- One row for each framework that a set of models can be counted under: by its tags, and by its library.
models_by_name as (
    select
        month,
        observed_month,
        series,
        models,
        is_partial,
        gap_reason,
        'models by tag' as formula,
        unnest(['pytorch', 'tensorflow', 'jax', 'keras']) as framework,
        unnest([has_pytorch, has_tensorflow, has_jax, has_keras]) as is_counted
    from huggingface
    where formats is not null
    union all
    -- The library filter of the Hub counts by tag, so there the library named like the framework is its tag.
    select
        month,
        observed_month,
        series,
        models,
        is_partial,
        gap_reason,
        'models by tag' as formula,
        unnest(['pytorch', 'tensorflow', 'jax', 'keras']) as framework,
        lower(library) = framework as is_counted
    from huggingface
    where series = 'hub, by tag'
    union all
    select
        month,
        observed_month,
        series,
        models,
        is_partial,
        gap_reason,
        'models by library' as formula,
        unnest(['pytorch', 'tensorflow', 'jax', 'keras']) as framework,
        coalesce(library_framework = framework, false) as is_counted
    from huggingface
    where series != 'hub, by tag'
),

final as (
    select
        month,
        formula || ', created in the month' as formula,
        framework,
        series,
        coalesce(sum(models) filter (where is_counted), 0)::bigint as models,
        sum(models)::bigint as whole,
        bool_or(is_partial) as is_partial,
        any_value(gap_reason) as gap_reason,
        max(observed_month) as known_from
    from models_by_name
    where month is not null
    group by month, formula, framework, series
    union all
    select
        max(observed_month) as month,
        formula || ', all that were seen' as formula,
        framework,
        series,
        coalesce(sum(models) filter (where is_counted), 0)::bigint as models,
        -- A model may be under several tags there, so their sum is no whole.
        case when series != 'hub, by tag' then sum(models)::bigint end as whole,
        false as is_partial,
        null as gap_reason,
        max(observed_month) as known_from
    from models_by_name
    -- What has no month of creation was counted whole on each day that somebody looked: two looks are two rows.
    group by formula, framework, series, case when month is null then observed_month end
    -- A tag that the count does not name was not counted, which is no zero.
    having series != 'hub, by tag' or bool_or(is_counted)
)

select * from final
