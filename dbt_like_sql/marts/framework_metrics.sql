with stackoverflow as (
    select * from staging.stackoverflow
),

huggingface as (
    select * from staging.huggingface
),

papers as (
    select * from staging.papers
    where month >= date '2015-11-01'
),

pypi as (
    select * from staging.pypi
),

tags as (
    select * from meta.tags
    where role = 'core'
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

models as (
    select
        month,
        'huggingface' as source,
        'models' as metric,
        formula || ', created in the month' as formula,
        framework,
        series,
        coalesce(sum(models) filter (where is_counted), 0) as value,
        sum(models) as denominator,
        bool_or(is_partial) as is_partial,
        false as is_estimated,
        false as is_share_estimated,
        any_value(gap_reason) as gap_reason,
        max(observed_month) as known_from
    from models_by_name
    where month is not null
    group by month, formula, framework, series
    union all
    select
        max(observed_month) as month,
        'huggingface' as source,
        'models' as metric,
        formula || ', all that were seen' as formula,
        framework,
        series,
        coalesce(sum(models) filter (where is_counted), 0) as value,
        -- A model may be under several tags there, so their sum is no whole.
        case when series != 'hub, by tag' then sum(models) end as denominator,
        false as is_partial,
        false as is_estimated,
        false as is_share_estimated,
        null as gap_reason,
        max(observed_month) as known_from
    from models_by_name
    group by formula, framework, series
),

ways_to_count_papers as (
    select
        words.metric,
        words.formula,
        words.is_official_only
    from (
        values
        ('papers', 'papers in the month', false),
        ('papers', 'papers in the month with an official repository', true),
        ('repositories', 'repositories in the month', false),
        ('repositories', 'official repositories in the month', true)
    ) as words (metric, formula, is_official_only)
),

paper_counts as (
    select
        papers.series,
        papers.month,
        papers.frameworks,
        papers.is_total,
        papers.is_partial,
        papers.gap_reason,
        ways.metric,
        ways.formula,
        case ways.metric when 'papers' then papers.papers else papers.repositories end as counted
    from papers
    cross join ways_to_count_papers as ways
    where papers.official or not ways.is_official_only
),

paper_wholes as (
    select
        series,
        month,
        metric,
        formula,
        coalesce(sum(counted) filter (where is_total), sum(counted)) as denominator,
        bool_or(is_partial) as is_partial,
        any_value(gap_reason) as gap_reason
    from paper_counts
    group by series, month, metric, formula
    having count(counted) > 0
),

paper_parts as (
    select
        series,
        month,
        metric,
        formula,
        unnest(frameworks) as framework,
        counted
    from paper_counts
    where not is_total and counted is not null
),

named as (
    select distinct
        series,
        formula,
        framework
    from paper_parts
),

-- A framework that no paper of a month names has a true zero in a month that was looked at.
research as (
    select
        paper_wholes.month,
        'papers' as source,
        paper_wholes.metric,
        paper_wholes.formula,
        named.framework,
        paper_wholes.series,
        coalesce(sum(paper_parts.counted), 0) as value,
        any_value(paper_wholes.denominator) as denominator,
        any_value(paper_wholes.is_partial) as is_partial,
        false as is_estimated,
        false as is_share_estimated,
        any_value(paper_wholes.gap_reason) as gap_reason,
        paper_wholes.month as known_from
    from paper_wholes
    inner join named
        on paper_wholes.series = named.series and paper_wholes.formula = named.formula
    left join paper_parts
        on
            paper_wholes.series = paper_parts.series
            and paper_wholes.formula = paper_parts.formula
            and paper_wholes.month = paper_parts.month
            and named.framework = paper_parts.framework
    group by paper_wholes.month, paper_wholes.metric, paper_wholes.formula, named.framework, paper_wholes.series
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
    select * from research
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

final as (
    select
        spans.month,
        spans.source,
        spans.metric,
        spans.formula || ', ' || spans.series as definition,
        spans.framework,
        spans.series,
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
)

select * from final
