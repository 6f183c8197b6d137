with dated as (
    select * from raw.huggingface
),

undated as (
    select * from raw.huggingface_unpartitioned
),

hub_names as (
    select * from meta.hub_names
),

populations as (
    select * from meta.populations
    where source = 'huggingface'
),

closed_months as (
    select * from meta.months
),

figures as (
    select * from dated
    union all by name
    select * from undated
),

tags as (
    select
        coalesce(list(name) filter (where framework = 'pytorch'), []) as pytorch,
        coalesce(list(name) filter (where framework = 'tensorflow'), []) as tensorflow,
        coalesce(list(name) filter (where framework = 'jax'), []) as jax,
        coalesce(list(name) filter (where framework = 'keras'), []) as keras
    from hub_names
    where kind = 'tag' and not is_format
),

libraries as (
    select
        lower(name) as library,
        any_value(framework) as framework
    from hub_names
    where kind = 'library'
    group by lower(name)
),

final as (
    select
        figures.month,
        -- A listing of the month that is still open is one as of the last closed month.
        least(
            date_trunc('month', coalesce(figures.observed_on, (figures.observed_at at time zone 'UTC')::date))::date,
            (select max(closed_months.month) from closed_months)
        ) as observed_month,
        -- A listing by the API and one by a snapshot file may differ: two series, never one.
        figures.population || case when figures.provider = 'parquet' then ', parquet' else '' end as series,
        populations.is_sample,
        figures.library,
        figures.formats,
        list_has_any(figures.formats, tags.pytorch) as has_pytorch,
        list_has_any(figures.formats, tags.tensorflow) as has_tensorflow,
        list_has_any(figures.formats, tags.jax) as has_jax,
        list_has_any(figures.formats, tags.keras) as has_keras,
        list_contains(figures.formats, 'safetensors') as has_safetensors,
        libraries.framework as library_framework,
        figures.models,
        figures.downloads_30d,
        figures.likes,
        coalesce(figures.month = date '2022-03-01', false) as is_partial,
        case
            when figures.month = date '2022-03-01'
                then 'the Hub gives every older model the creation date 2022-03-02, so this month holds them all'
        end as gap_reason,
        figures.method,
        figures.origin,
        figures.observed_on,
        figures.provider,
        figures.evidence,
        figures.observed_at
    from figures
    cross join tags
    left join populations on figures.population = populations.population
    left join libraries on lower(figures.library) = libraries.library
)

select * from final
