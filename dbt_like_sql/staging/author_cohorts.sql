with listing as (
    select * from detail.papers
    where "date" is not null
),

recorded as (
    select * from meta.cohorts
),

closed_months as (
    select * from meta.months
),

-- The base year of the published cohort is used for every listing, so that the two can be compared.
base_years as (
    select distinct base_year from recorded
),

papers as (
    select
        population as series,
        cast(date_trunc('month', "date") as date) as month,
        authors,
        list_contains(frameworks, 'pytorch') as has_pytorch,
        list_contains(frameworks, 'tensorflow') as has_tensorflow
    from listing
),

authored as (
    select
        series,
        month,
        unnest(authors) as author,
        has_pytorch,
        has_tensorflow
    from papers
    where has_pytorch or has_tensorflow
),

careers as (
    select
        authored.series,
        base_years.base_year,
        lower(trim(authored.author)) as author,
        bool_or(authored.has_pytorch) filter (where year(authored.month) = base_years.base_year) as began_with_pytorch,
        bool_or(authored.has_tensorflow)
            filter (where year(authored.month) = base_years.base_year)
            as began_with_tensorflow,
        min(authored.month)
            filter (where authored.has_pytorch and year(authored.month) > base_years.base_year)
            as first_pytorch,
        min(authored.month)
            filter (where authored.has_tensorflow and year(authored.month) > base_years.base_year)
            as first_tensorflow
    from authored
    inner join base_years on year(authored.month) >= base_years.base_year
    group by authored.series, base_years.base_year, lower(trim(authored.author))
),

paths as (
    select
        series,
        base_year,
        case when began_with_pytorch then 'pytorch' else 'tensorflow' end as base_framework,
        first_pytorch,
        first_tensorflow,
        count(*) as authors
    from careers
    where began_with_pytorch != began_with_tensorflow and coalesce(first_pytorch, first_tensorflow) is not null
    group by all
),

months_with_papers as (
    select distinct
        series,
        month
    from papers
),

ends as (
    select
        months_with_papers.series,
        base_years.base_year,
        closed_months.month as as_of,
        datediff('month', make_date(base_years.base_year, 1, 1), closed_months.month)
        + 1
        - count(distinct months_with_papers.month)
            filter (where months_with_papers.month between make_date(base_years.base_year, 1, 1) and closed_months.month)
            as months_missing
    from closed_months
    inner join base_years on year(closed_months.month) > base_years.base_year
    cross join months_with_papers
    group by months_with_papers.series, base_years.base_year, closed_months.month
    having closed_months.month <= max(months_with_papers.month)
),

-- Nothing later than the as-of month is looked at: an author has used what came first by then.
counted as (
    select
        ends.series,
        ends.base_year,
        ends.as_of,
        paths.base_framework,
        case
            when paths.first_pytorch <= ends.as_of and paths.first_tensorflow <= ends.as_of then 'both'
            when paths.first_pytorch <= ends.as_of then 'pytorch'
            else 'tensorflow'
        end as later_framework,
        sum(paths.authors)::bigint as authors,
        any_value(ends.months_missing) as months_missing,
        'authors of a listing of papers, told apart by their names' as method
    from ends
    inner join paths
        on
            ends.series = paths.series
            and ends.base_year = paths.base_year
            and least(paths.first_pytorch, paths.first_tensorflow) <= ends.as_of
    group by all
),

final as (
    select
        'recorded' as series,
        base_year,
        until as as_of,
        base_framework,
        later_framework,
        authors,
        0 as months_missing,
        method || ' (' || origin || ')' as method
    from recorded
    union all
    select
        series,
        base_year,
        as_of,
        base_framework,
        later_framework,
        authors,
        months_missing,
        method
    from counted
)

select * from final
