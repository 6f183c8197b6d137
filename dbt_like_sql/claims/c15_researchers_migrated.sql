with cohorts as (
    select * from staging.author_cohorts
),

sums as (
    select
        series,
        as_of,
        base_year,
        base_framework,
        sum(authors) as everybody,
        coalesce(sum(authors) filter (where later_framework = 'pytorch'), 0) as pytorch_alone,
        coalesce(sum(authors) filter (where later_framework = 'both'), 0) as in_both,
        any_value(months_missing) as months_missing,
        make_date(cast(base_year as integer), 1, 1) as since,
        any_value(method) as method
    from cohorts
    group by series, as_of, base_year, base_framework
),

forms as (
    select
        *,
        unnest(if(
            base_framework = 'tensorflow',
            ['moved to pytorch alone', 'moved to pytorch alone or beside tensorflow'], ['pytorch authors who stayed']
        )) as formula,
        unnest(if(
            base_framework = 'tensorflow', [pytorch_alone, pytorch_alone + in_both], [pytorch_alone]
        )) as part
    from sums
),

-- The published cohort is that of 2018; the others are told apart, so that no year is taken for another.
named as (
    select
        *,
        if(base_year = 2018, formula, formula || ' after another year') as full_formula,
        if(base_year = 2018, series, base_year || ' in ' || series) as full_series
    from forms
),

estimates as (
    select
        *,
        part / everybody as share,
        -- The interval of Wilson (1927) for a share, at 95 percent.
        (share + 1.96 * 1.96 / (2 * everybody)) / (1 + 1.96 * 1.96 / everybody) as middle,
        1.96 * sqrt(share * (1 - share) / everybody + 1.96 * 1.96 / (4 * everybody * everybody))
        / (1 + 1.96 * 1.96 / everybody) as half_width
    from named
),

measured as (
    select
        full_formula as formula,
        'authors' as source,
        full_series as series,
        as_of,
        share as value,
        middle - half_width as low,
        middle + half_width as high,
        cast(everybody as bigint) as n,
        cast(part as double) as numerator,
        cast(everybody as double) as denominator,
        since,
        method as note,
        'months without a paper: ' || nullif(months_missing, 0) as cannot_decide
    from estimates
)

select * from measured
