with projects as (
    select
        *,
        cast(date_trunc('month', first_commit) as date) as month,
        unnest(frameworks) as framework
    from meta.google_projects
),

closed_months as (
    select * from meta.months
),

spans as (
    select
        repository,
        min(month) as first_month,
        max(month) as last_month
    from projects
    group by repository
),

last_one as (select cast(date_trunc('month', max(first_commit)) as date) as month from projects),

windows as (
    select
        spans.repository,
        closed_months.month as as_of,
        unnest([spans.first_month, cast(closed_months.month - interval 11 months as date)]) as since,
        unnest(['projects of google', 'new projects of google']) as formula
    from spans
    cross join last_one
    inner join closed_months
        on
            closed_months.month between spans.first_month and spans.last_month
            or (spans.first_month is null and last_one.month = closed_months.month)
),

counted as (
    select
        windows.formula,
        windows.repository,
        windows.as_of,
        if(spans.first_month is null, null, windows.since) as since,
        projects.framework,
        count(*) as projects,
        list(projects.project) as names,
        bool_or(projects.is_sample) as is_sample
    from windows
    inner join spans on windows.repository = spans.repository
    inner join projects
        on
            windows.repository = projects.repository
            and (spans.first_month is null or projects.month between windows.since and windows.as_of)
    where if(windows.formula = 'projects of google', true, windows.since >= spans.first_month)
    group by
        windows.formula, windows.repository, windows.as_of, windows.since, spans.first_month, projects.framework
),

measured as (
    select
        formula || ' with tensorflow for each with the next framework' as formula,
        'projects' as source,
        repository as series,
        as_of,
        any_value(since) as since,
        coalesce(max(projects) filter (where framework = 'tensorflow'), 0)
        / max(projects) filter (where framework != 'tensorflow') as value,
        cast(len(list_distinct(flatten(list(names)))) as bigint) as n,
        cast(coalesce(max(projects) filter (where framework = 'tensorflow'), 0) as double) as numerator,
        cast(max(projects) filter (where framework != 'tensorflow') as double) as denominator,
        case
            when bool_or(is_sample) then 'a sample: the first projects by name, none of them dated'
            when denominator is null then 'no project uses another framework'
        end as cannot_decide,
        'the next framework is ' || arg_max(framework, struct_pack(n := projects, f := framework)) filter (
            where framework != 'tensorflow'
        ) as note
    from counted
    group by formula, repository, as_of
)

select * from measured
