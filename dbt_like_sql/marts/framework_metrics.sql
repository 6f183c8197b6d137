with stackoverflow as (
    select * from staging.stackoverflow
),

models_by_framework as (
    select * from marts.models_by_framework
),

papers_by_framework as (
    select * from marts.papers_by_framework
),

pypi as (
    select * from staging.pypi
),

tags as (
    select * from meta.tags
    where role = 'core'
),

breaks as (
    select * from meta.outages
    where kind = 'break'
),

frameworks as (
    select * from meta.frameworks
),

headline_series as (
    select * from meta.headline_series
),

questions as (
    select
        stackoverflow.month,
        'stackoverflow' as source,
        'questions' as metric,
        'questions in the month' as formula,
        stackoverflow.framework,
        stackoverflow.series,
        stackoverflow.questions as value,
        stackoverflow.site_questions as denominator,
        stackoverflow.is_partial,
        stackoverflow.is_estimated,
        stackoverflow.is_share_estimated,
        stackoverflow.gap_reason,
        stackoverflow.month as known_from
    from stackoverflow
    inner join tags on stackoverflow.tagged = tags.tagged
),

models as (
    select
        month,
        'huggingface' as source,
        'models' as metric,
        formula,
        framework,
        series,
        models as value,
        whole as denominator,
        is_partial,
        false as is_estimated,
        false as is_share_estimated,
        gap_reason,
        known_from
    from models_by_framework
),

papers as (
    select
        month,
        'papers' as source,
        metric,
        formula,
        framework,
        series,
        counted as value,
        whole as denominator,
        is_partial,
        false as is_estimated,
        false as is_share_estimated,
        gap_reason,
        month as known_from
    from papers_by_framework
),

packages as (
    select
        month,
        'pypi' as source,
        'downloads_per_day' as metric,
        'downloads per day of the package' as formula,
        framework,
        series,
        downloads_per_day as value,
        sum(downloads_per_day) over (partition by month, series) as denominator,
        is_partial,
        false as is_estimated,
        false as is_share_estimated,
        gap_reason,
        month as known_from
    from pypi
    where role = 'core'
),

families as (
    select
        month,
        'pypi' as source,
        'family_downloads_per_day' as metric,
        'downloads per day of the family' as formula,
        framework,
        series,
        -- Without its core package a family is no figure at all; without a variant it is a lower bound.
        case when bool_or(role = 'core' and downloads is not null) then sum(downloads_per_day) end as value,
        bool_or(is_partial or downloads is null) as is_partial,
        false as is_estimated,
        false as is_share_estimated,
        coalesce(
            any_value(gap_reason) filter (where role = 'core'),
            'without ' || string_agg(package, ', ' order by package) filter (where downloads is null),
            any_value(gap_reason)
        ) as gap_reason,
        month as known_from
    from pypi
    where counts_in_family
    group by month, framework, series
),

family_shares as (
    select
        month,
        source,
        metric,
        formula,
        framework,
        series,
        value,
        sum(value) over (partition by month, series) as denominator,
        is_partial and value is not null as is_partial,
        is_estimated,
        is_share_estimated,
        coalesce(gap_reason, case when value is null then series || ' has no figure of the core package' end)
            as gap_reason,
        known_from
    from families
),

counted as (
    select * from questions
    union all by name
    select * from models
    union all by name
    select * from papers
    union all by name
    select * from packages
    union all by name
    select * from family_shares
),

-- A month without any figure, inside a series that has others, is a row that says so.
spans as (
    select
        source,
        metric,
        formula,
        framework,
        series,
        unnest(generate_series(min(month), max(month), interval 1 month))::date as month
    from counted
    group by source, metric, formula, framework, series
),

-- A series leads from the first figure of the two that are compared to the last, holes included: so it changes seldom.
headline_spans as (
    select
        headline_series.source,
        headline_series.metric,
        headline_series.definition,
        headline_series.rank,
        min(counted.month) as first_month,
        max(counted.month) as last_month
    from headline_series
    inner join counted
        on
            headline_series.source = counted.source
            and headline_series.metric = counted.metric
            and headline_series.definition = counted.formula || ', ' || counted.series
    where counted.framework in ('tensorflow', 'pytorch') and counted.value is not null
    group by headline_series.source, headline_series.metric, headline_series.definition, headline_series.rank
),

headlines as (
    select
        months.month,
        headline_spans.source,
        arg_min(headline_spans.metric, headline_spans.rank) as metric,
        arg_min(headline_spans.definition, headline_spans.rank) as definition
    from (select distinct month from spans) as months
    inner join headline_spans on months.month between headline_spans.first_month and headline_spans.last_month
    group by months.month, headline_spans.source
),

final as (
    select
        spans.month,
        spans.source,
        spans.metric,
        spans.formula || ', ' || spans.series as definition,
        spans.framework,
        spans.series,
        (
            select count(*)
            from breaks
            where
                spans.source = breaks.source
                and starts_with(spans.series, coalesce(breaks.series, ''))
                and breaks.first_day < spans.month + interval 1 month
        )::integer as segment,
        headlines.definition is not null as is_headline,
        coalesce(spans.month < date_trunc('month', frameworks.released), false) as before_release,
        counted.value::double as value,
        counted.denominator::double as denominator,
        counted.value / nullif(counted.denominator, 0)::double as share,
        coalesce(counted.is_partial, false) as is_partial,
        coalesce(counted.is_estimated, false) as is_estimated,
        coalesce(counted.is_share_estimated, false) as is_share_estimated,
        case
            when counted.month is null then spans.series || ' has no figure for this month'
            else counted.gap_reason
        end as gap_reason,
        coalesce(counted.known_from, spans.month) as known_from
    from spans
    left join counted
        on
            spans.month = counted.month
            and spans.source = counted.source
            and spans.metric = counted.metric
            and spans.formula = counted.formula
            and spans.framework = counted.framework
            and spans.series = counted.series
    left join headlines
        on
            spans.month = headlines.month
            and spans.source = headlines.source
            and spans.metric = headlines.metric
            and headlines.definition = spans.formula || ', ' || spans.series
    left join frameworks on spans.framework = frameworks.framework
)

select * from final
