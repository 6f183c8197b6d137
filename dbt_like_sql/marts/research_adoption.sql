with papers as (
    select * from staging.papers
    where month is not null
),

-- Every row is counted by month and by year, as papers and as repositories, with all and with official ones only.
counted as (
    select
        series,
        is_sample,
        month,
        unnest(['month', 'year']) as period,
        metric,
        scope,
        is_total,
        has_pytorch,
        has_tensorflow,
        has_jax,
        counted,
        is_partial
    from (
        select
            *,
            'papers' as metric,
            'all' as scope,
            papers as counted
        from papers
        union all
        select
            *,
            'repositories' as metric,
            'all' as scope,
            repositories as counted
        from papers
        union all
        select
            *,
            'papers' as metric,
            'official' as scope,
            papers as counted
        from papers
        where official
        union all
        select
            *,
            'repositories' as metric,
            'official' as scope,
            repositories as counted
        from papers
        where official
    )
    where counted is not null
),

summed as (
    select
        series,
        is_sample,
        period,
        date_trunc(period, month)::date as starts,
        metric,
        scope,
        max(month) as last_month,
        count(distinct month) as months,
        coalesce(sum(counted) filter (where has_pytorch), 0) as pytorch,
        coalesce(sum(counted) filter (where has_tensorflow), 0) as tensorflow,
        coalesce(sum(counted) filter (where has_pytorch and has_tensorflow), 0) as in_both,
        coalesce(sum(counted) filter (where has_jax), 0) as jax,
        coalesce(sum(counted) filter (where is_total), sum(counted)) as whole,
        bool_or(is_partial) as is_partial
    from counted
    group by series, is_sample, period, date_trunc(period, month), metric, scope
),

final as (
    select
        series,
        is_sample,
        period,
        starts,
        last_month,
        months,
        metric,
        scope,
        pytorch::bigint as pytorch,
        tensorflow::bigint as tensorflow,
        in_both::bigint as in_both,
        jax::bigint as jax,
        whole::bigint as whole,
        pytorch / nullif(pytorch + tensorflow, 0) as pytorch_of_pair,
        pytorch / nullif(whole, 0) as pytorch_of_all,
        tensorflow / nullif(whole, 0) as tensorflow_of_all,
        jax / nullif(whole, 0) as jax_of_all,
        is_partial
    from summed
)

select * from final
