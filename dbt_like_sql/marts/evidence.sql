with stackoverflow as (
    select * from staging.stackoverflow
),

tags as (
    select * from meta.tags
),

pypi as (
    select * from staging.pypi
),

papers as (
    select * from staging.papers
),

huggingface as (
    select * from staging.huggingface
),

author_cohorts as (
    select * from staging.author_cohorts
),

frameworks as (
    select * from meta.frameworks
    where released is not null
),

question_totals as (
    select * from meta.question_totals
    where asked_from is null
),

google_projects as (
    select
        *,
        date_trunc('month', first_commit)::date as month,
        date_trunc('month', max(first_commit) over ())::date as last_month
    from meta.google_projects
),

bindings as (
    select * from meta.bindings
    where since is not null
),

final as (
    select
        'stackoverflow' as source,
        stackoverflow.series,
        stackoverflow.month,
        stackoverflow.month as known_from,
        stackoverflow.tagged as key,
        tags.framework,
        coalesce(tags.role, 'whole site') as role,
        false as counts_in_family,
        'questions' as counted,
        stackoverflow.questions::double as value,
        day(last_day(stackoverflow.month))::integer as days,
        stackoverflow.is_estimated,
        stackoverflow.is_partial,
        stackoverflow.gap_reason,
        stackoverflow.method,
        stackoverflow.origin,
        stackoverflow.observed_on,
        stackoverflow.observed_at,
        stackoverflow.provider,
        stackoverflow.evidence
    from stackoverflow
    left join tags on stackoverflow.tagged = tags.tagged
    union all
    select
        'pypi' as source,
        series,
        month,
        month as known_from,
        package as key,
        framework,
        role,
        counts_in_family,
        'downloads' as counted,
        downloads::double as value,
        days_covered as days,
        false as is_estimated,
        is_partial,
        gap_reason,
        method,
        origin,
        observed_on,
        observed_at,
        provider,
        evidence
    from pypi
    union all
    select
        'papers' as source,
        series,
        month,
        coalesce(
            month, date_trunc('month', coalesce(observed_on, (observed_at at time zone 'UTC')::date))::date
        ) as known_from,
        concat_ws(
            ', ',
            coalesce(nullif(array_to_string(frameworks, '+'), ''), 'none'),
            nullif(venue, '*'),
            case when official then 'official' when not official then 'not official' end
        ) as key,
        null as framework,
        if(counts_papers, 'paper once', 'paper by repository') as role,
        false as counts_in_family,
        unnest(if(repositories is null, ['papers'], ['papers', 'repositories'])) as counted,
        unnest(if(repositories is null, [papers], [papers, repositories]))::double as value,
        null as days,
        false as is_estimated,
        is_partial,
        gap_reason,
        method,
        origin,
        observed_on,
        observed_at,
        provider,
        evidence
    from papers
    union all
    -- A model is known from when it was seen, not from when it was made.
    select
        'huggingface' as source,
        series,
        month,
        observed_month as known_from,
        coalesce(library, 'no library') || ': '
        || case
            when formats is null then 'formats not known'
            else coalesce(nullif(array_to_string(formats, '+'), ''), 'none')
        end as key,
        library_framework as framework,
        null as role,
        false as counts_in_family,
        'models' as counted,
        models::double as value,
        null as days,
        false as is_estimated,
        is_partial,
        gap_reason,
        method,
        origin,
        observed_on,
        observed_at,
        provider,
        evidence
    from huggingface
    union all
    select
        'authors' as source,
        series,
        as_of as month,
        as_of as known_from,
        base_framework || ' in ' || base_year || ', later ' || later_framework as key,
        base_framework as framework,
        null as role,
        false as counts_in_family,
        'authors' as counted,
        authors::double as value,
        null as days,
        false as is_estimated,
        months_missing > 0 as is_partial,
        'months without a paper: ' || nullif(months_missing, 0) as gap_reason,
        method,
        null as origin,
        null as observed_on,
        null as observed_at,
        case when series = 'recorded' then 'recorded' end as provider,
        case when series = 'recorded' then 'recorded/author_cohorts.csv' end as evidence
    from author_cohorts
    union all
    select
        'releases' as source,
        null as series,
        date_trunc('month', released)::date as month,
        date_trunc('month', released)::date as known_from,
        framework || ' ' || released as key,
        framework,
        null as role,
        false as counts_in_family,
        'releases' as counted,
        1.0 as value,
        null as days,
        false as is_estimated,
        false as is_partial,
        null as gap_reason,
        'first public release' as method,
        release_reference as origin,
        null as observed_on,
        null as observed_at,
        null as provider,
        null as evidence
    from frameworks
    union all
    select
        'stackoverflow' as source,
        question_totals.origin as series,
        date_trunc('month', question_totals.observed_on)::date as month,
        date_trunc('month', question_totals.observed_on)::date as known_from,
        question_totals.tagged as key,
        tags.framework,
        tags.role,
        false as counts_in_family,
        'questions' as counted,
        question_totals.questions::double as value,
        null as days,
        false as is_estimated,
        false as is_partial,
        null as gap_reason,
        concat_ws('; ', question_totals.method, nullif(question_totals.side, 'exact')) as method,
        question_totals.origin,
        question_totals.observed_on,
        null as observed_at,
        'recorded' as provider,
        'recorded/question_totals.csv' as evidence
    from question_totals
    left join tags on question_totals.tagged = tags.tagged
    union all
    select
        'projects' as source,
        repository as series,
        month,
        coalesce(month, last_month) as known_from,
        project || ': ' || coalesce(nullif(array_to_string(frameworks, '+'), ''), 'none of the frameworks') as key,
        null as framework,
        null as role,
        false as counts_in_family,
        'projects' as counted,
        1.0 as value,
        null as days,
        false as is_estimated,
        is_sample as is_partial,
        if(is_sample, 'a sample', null) as gap_reason,
        method,
        origin,
        first_commit as observed_on,
        null as observed_at,
        'recorded' as provider,
        'recorded/google_projects.csv' as evidence
    from google_projects
    union all
    select
        'bindings' as source,
        null as series,
        date_trunc('month', since)::date as month,
        date_trunc('month', since)::date as known_from,
        framework || ' in ' || language || ': ' || project as key,
        framework,
        kind as role,
        false as counts_in_family,
        'interfaces' as counted,
        1.0 as value,
        null as days,
        false as is_estimated,
        false as is_partial,
        null as gap_reason,
        status as method,
        reference as origin,
        since as observed_on,
        null as observed_at,
        'recorded' as provider,
        'recorded/bindings.csv' as evidence
    from bindings
)

select * from final
