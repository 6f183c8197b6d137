with metrics as (
    select * from marts.framework_metrics
    where
        metric in ('questions', 'downloads_per_day', 'family_downloads_per_day')
        or (metric in ('papers', 'repositories') and definition = metric || ' in the month, ' || series)
),

bases as (
    select unnest(['published', 'exact']) as basis
),

measures as (
    select
        *,
        case metric
            when 'downloads_per_day' then 'downloads'
            when 'family_downloads_per_day' then 'family downloads'
            else metric
        end as measure,
        1 as whole,
        is_estimated as is_interpolated
    from metrics
    union all by name
    select
        *,
        if(metric = 'questions', 'the share', 'the share of papers') as measure,
        denominator as whole,
        is_share_estimated as is_interpolated
    from metrics
    where metric in ('questions', 'papers')
),

final as (
    select
        measures.month,
        measures.source,
        measures.series,
        measures.framework,
        measures.measure,
        bases.basis,
        measures.value as part,
        measures.whole,
        case
            when bases.basis = 'published' or not measures.is_interpolated
                then measures.value / nullif(measures.whole, 0)
        end as figure,
        measures.is_partial,
        measures.gap_reason,
        measures.known_from
    from measures
    cross join bases
)

select * from final
