with papers as (
    select * from staging.papers
    where month is not null
),

-- The month from which both can be compared: a paper that is older names neither, or its code came later.
releases as (
    select max(released) as released from meta.frameworks
    where framework in ('pytorch', 'tensorflow')
),

-- Every row is counted by month and by year, as papers and as repositories, with all and with official ones only.
ways as (
    select
        periods.period,
        metrics.metric,
        scopes.scope
    from (values ('month'), ('year')) as periods (period)
    cross join (values ('papers'), ('repositories')) as metrics (metric)
    cross join (values ('all'), ('official')) as scopes (scope)
),

counted as (
    select
        papers.series,
        papers.is_sample,
        papers.month,
        ways.period,
        ways.metric,
        ways.scope,
        papers.is_total,
        papers.has_pytorch,
        papers.has_tensorflow,
        papers.has_jax,
        case ways.metric when 'papers' then papers.papers else papers.repositories end as counted,
        papers.is_partial
    from papers
    cross join ways
    where
        case
            when ways.scope = 'official' then papers.official
            when ways.metric = 'papers' then papers.counts_papers
            else true
        end
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
    where counted is not null
    group by series, is_sample, period, date_trunc(period, month), metric, scope
),

dated as (
    select
        summed.*,
        coalesce(summed.last_month < date_trunc('month', releases.released), false) as before_release
    from summed
    cross join releases
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
        case when not before_release then pytorch / nullif(pytorch + tensorflow, 0) end as pytorch_of_pair,
        pytorch / nullif(whole, 0) as pytorch_of_all,
        tensorflow / nullif(whole, 0) as tensorflow_of_all,
        jax / nullif(whole, 0) as jax_of_all,
        before_release,
        is_partial
    from dated
)

select * from final
