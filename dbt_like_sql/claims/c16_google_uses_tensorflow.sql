with projects as (
    select
        *,
        date_trunc('month', first_commit)::date as month
    from meta.google_projects
    where len(frameworks) > 0
),

spans as (
    select
        repository,
        min(month) as first_month,
        max(month) as last_month
    from projects
    where month is not null
    group by repository
),

windows as (
    select
        spans.repository,
        closed_months.month as as_of,
        forms.formula,
        if(forms.formula[:3] = 'new', (closed_months.month - interval 11 months)::date, spans.first_month) as since
    from spans
    inner join meta.months as closed_months on closed_months.month between spans.first_month and spans.last_month
    cross join (
        values
        ('projects of google with tensorflow for each with the next framework'),
        ('new projects of google with tensorflow for each with the next framework')
    ) as forms (formula)
    where forms.formula[:3] != 'new' or closed_months.month >= spans.first_month + interval 11 months
),

-- What has no date is a sample of its repository, as of the newest date of the others.
members as (
    select
        windows.formula,
        windows.repository,
        windows.as_of,
        windows.since,
        projects.project,
        projects.frameworks,
        projects.is_sample
    from windows
    inner join projects
        on windows.repository = projects.repository and projects.month between windows.since and windows.as_of
    union all
    select
        'projects of google with tensorflow for each with the next framework' as formula,
        projects.repository,
        (select max(spans.last_month) from spans) as as_of,
        null as since,
        projects.project,
        projects.frameworks,
        projects.is_sample
    from projects
    where projects.month is null
),

named as (
    select
        formula,
        repository,
        as_of,
        framework,
        count(*) as projects
    from (
        select
            formula,
            repository,
            as_of,
            unnest(frameworks) as framework
        from members
    )
    group by formula, repository, as_of, framework
),

compared as (
    select
        members.formula,
        members.repository,
        members.as_of,
        any_value(members.since) as since,
        bool_or(members.is_sample) as is_sample,
        count(*) as n
    from members
    group by members.formula, members.repository, members.as_of
),

measured as (
    select
        compared.formula,
        'projects' as source,
        compared.repository as series,
        compared.as_of,
        compared.since,
        coalesce(max(named.projects) filter (where named.framework = 'tensorflow'), 0)
        / max(named.projects) filter (where named.framework != 'tensorflow') as value,
        compared.n,
        coalesce(max(named.projects) filter (where named.framework = 'tensorflow'), 0)::double as numerator,
        max(named.projects) filter (where named.framework != 'tensorflow')::double as denominator,
        case
            when compared.is_sample then 'a sample: the first projects by name, none of them dated'
            when denominator is null then 'no project uses another framework'
        end as cannot_decide,
        'the next framework is ' || arg_max(named.framework, struct_pack(n := named.projects, f := named.framework))
            filter (where named.framework != 'tensorflow') as note
    from compared
    inner join named
        on
            compared.formula = named.formula
            and compared.repository = named.repository
            and compared.as_of = named.as_of
    group by compared.formula, compared.repository, compared.as_of, compared.since, compared.is_sample, compared.n
)

select * from measured
