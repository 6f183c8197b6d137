with figures as (
    select * from marts.figures_by_basis
    where
        (framework = 'tensorflow' and measure in ('questions', 'downloads', 'family downloads'))
        or (framework in ('pytorch', 'tensorflow') and measure = 'papers' and basis = 'published')
),

populations as (
    select * from meta.populations
    where source = 'papers'
),

-- Code that sticks around is still installed and asked about: the last year against the best year.
years as (
    select
        *,
        case when count(figure) over last_year >= 8 then avg(figure) over last_year end as level,
        count(figure) over last_year as months_found,
        count(*) filter (where is_partial) over last_year as months_partial,
        min(month) filter (where figure is not null) over (partition by basis, measure, series) as first_month
    from figures
    where measure != 'papers'
    window
        last_year as (
            partition by basis, measure, series
            order by month range between interval 11 months preceding and current row
        )
),

levels as (
    select
        basis,
        'level of ' || measure || ' against the best 12 months' as formula,
        source,
        series,
        month as as_of,
        first_month as from_month,
        level as numerator,
        max(level) over (partition by basis, measure, series order by month) as denominator,
        months_found as n,
        case when level is null then 'fewer than 8 of the last 12 months have a figure' end as cannot_decide,
        12 - months_found as months_lacking,
        months_partial
    from years
    where month >= first_month + interval 11 months
),

-- New work is seen in papers, by the month of the paper.
papers as (
    select
        figures.series,
        figures.month,
        any_value(populations.what) filter (where populations.is_sample) as sample_of,
        max(figures.figure) filter (where figures.framework = 'pytorch') as pytorch,
        max(figures.figure) filter (where figures.framework = 'tensorflow') as tensorflow,
        bool_or(figures.is_partial) as is_partial
    from figures
    left join populations on figures.series = populations.population
    where figures.measure = 'papers'
    group by figures.series, figures.month
),

new_work as (
    select
        'published' as basis,
        'pytorch in the new papers of 12 months' as formula,
        'papers' as source,
        series,
        month as as_of,
        cast(month - interval 11 months as date) as from_month,
        sum(pytorch) over last_year as numerator,
        sum(pytorch + tensorflow) over last_year as denominator,
        cast(coalesce(sum(pytorch + tensorflow) over last_year, 0) as bigint) as n,
        coalesce(
            sample_of,
            case
                when coalesce(sum(pytorch + tensorflow) over last_year, 0) = 0 then 'no paper names one of the two'
            end
        ) as cannot_decide,
        0 as months_lacking,
        count(*) filter (where is_partial) over last_year as months_partial
    from papers
    window
        last_year as (
            partition by series
            order by month range between interval 11 months preceding and current row
        )
    qualify month >= min(month) over (partition by series) + interval 11 months
),

forms as (
    select * from levels
    union all
    select * from new_work
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        min(from_month) as since,
        max(numerator / nullif(denominator, 0)) filter (where basis = 'published') as value,
        max(numerator / nullif(denominator, 0)) filter (
            where basis = if(source = 'papers', 'published', 'exact')
        ) as exact_value,
        max(n) filter (where basis = 'published') as n,
        max(numerator) filter (where basis = 'published') as numerator,
        max(denominator) filter (where basis = 'published') as denominator,
        max(cannot_decide) filter (where basis = 'published') as cannot_decide,
        max(months_lacking) filter (where basis = 'published') as months_lacking,
        max(months_partial) as months_partial
    from forms
    group by formula, source, series, as_of
)

select * from measured
