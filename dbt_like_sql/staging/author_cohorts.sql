with listing as (
    select * from detail.papers
    where date is not null
),

recorded as (
    select * from meta.author_cohorts
),

closed_months as (
    select * from meta.months
),

-- That of the published cohort, and each year of a listing in which TensorFlow was out all year.
base_years as (
    select base_year from recorded
    union
    select year(date) as base_year from listing
    where year(date) >= 2016
),

papers as (
    select
        population as series,
        cast(date_trunc('month', date) as date) as month,
        authors,
        list_contains(frameworks, 'pytorch') as has_pytorch,
        list_contains(frameworks, 'tensorflow') as has_tensorflow
    from listing
),

authored as (
    select
        papers.series,
        papers.month,
        base_years.base_year,
        year(papers.month) > base_years.base_year as is_later,
        papers.has_pytorch,
        papers.has_tensorflow,
        lower(trim(unnest(papers.authors))) as author
    from papers
    inner join base_years on year(papers.month) >= base_years.base_year
    where papers.has_pytorch or papers.has_tensorflow
),

careers as (
    select
        series,
        base_year,
        author,
        bool_or(has_pytorch and not is_later) as began_with_pytorch,
        bool_or(has_tensorflow and not is_later) as began_with_tensorflow,
        min(month) filter (where has_pytorch and is_later) as first_pytorch,
        min(month) filter (where has_tensorflow and is_later) as first_tensorflow
    from authored
    group by all
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

-- The months from the base year on that have papers, counted up to each month.
ends as (
    select
        months_with_papers.series,
        base_years.base_year,
        closed_months.month as as_of,
        datediff('month', make_date(base_years.base_year, 1, 1), closed_months.month) + 1 as months_passed,
        count(*) filter (
            where months_with_papers.month between make_date(base_years.base_year, 1, 1) and closed_months.month
        ) as months_found
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
        cast(sum(paths.authors) as bigint) as authors,
        any_value(ends.months_passed - ends.months_found) as months_missing,
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
