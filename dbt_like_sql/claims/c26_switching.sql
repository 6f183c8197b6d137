with figures as (
    select * from marts.figures_by_basis
    where framework in ('pytorch', 'tensorflow') and measure in ('questions', 'downloads', 'papers')
),

populations as (
    select * from meta.populations
    where source = 'papers'
),

pairs as (
    select
        figures.basis,
        figures.measure,
        figures.source,
        figures.series,
        figures.month,
        coalesce(bool_or(populations.is_sample), false) as is_sample,
        max(figures.figure) filter (where figures.framework = 'pytorch') as pytorch,
        max(figures.figure) filter (where figures.framework = 'tensorflow') as tensorflow,
        bool_or(figures.is_partial) as is_partial
    from figures
    left join populations on figures.series = populations.population
    group by figures.basis, figures.measure, figures.source, figures.series, figures.month
),

ends as (
    select
        basis,
        measure,
        source,
        series,
        is_sample,
        month as as_of,
        min(month) filter (where basis = 'published' and pytorch is not null and tensorflow is not null) over (
            partition by measure, series
        ) as first_month
    from pairs
),

shifts as (
    select unnest([0, 1]) as years_back
),

years as (
    select
        ends.*,
        shifts.years_back,
        sum(pairs.pytorch) as pytorch,
        sum(pairs.pytorch + pairs.tensorflow) as two,
        count(pairs.pytorch) as months_found,
        count(*) filter (where pairs.is_partial) as months_partial
    from ends
    cross join shifts
    left join pairs
        on
            ends.basis = pairs.basis
            and ends.measure = pairs.measure
            and ends.series = pairs.series
            and pairs.pytorch is not null
            and pairs.tensorflow is not null
            and pairs.month > ends.as_of - to_months(12 * shifts.years_back + 12)
            and pairs.month <= ends.as_of - to_months(12 * shifts.years_back)
    where ends.as_of >= ends.first_month + interval 23 months
    group by
        ends.basis, ends.measure, ends.source, ends.series, ends.is_sample, ends.as_of, ends.first_month,
        shifts.years_back
),

-- A year of a monthly series needs eight months; a year of venues is whatever met.
shares as (
    select
        basis,
        measure,
        source,
        series,
        is_sample,
        as_of,
        max(pytorch / nullif(two, 0)) filter (where years_back = 0 and (months_found >= 8 or source = 'papers'))
            as share_now,
        max(pytorch / nullif(two, 0)) filter (where years_back = 1 and (months_found >= 8 or source = 'papers'))
            as share_before,
        sum(months_found) as months_found,
        sum(months_partial) as months_partial
    from years
    group by basis, measure, source, series, is_sample, as_of
),

measured as (
    select
        'rise of the share of ' || measure as formula,
        source,
        series,
        as_of,
        cast(as_of - interval 23 months as date) as since,
        max(share_now - share_before) filter (where basis = 'published') as value,
        max(share_now - share_before) filter (where basis = 'exact') as exact_value,
        cast(max(months_found) filter (where basis = 'published') as bigint) as n,
        max(share_now) filter (where basis = 'published') as numerator,
        max(share_before) filter (where basis = 'published') as denominator,
        case
            when bool_or(is_sample) then 'a sample, not all papers: ' || series
            when max(share_now - share_before) filter (where basis = 'published') is null
                then 'too few months of the two years have a figure of both'
        end as cannot_decide,
        cast(if(source = 'papers', 0, 24 - max(months_found) filter (where basis = 'published')) as bigint) as months_lacking,
        cast(max(months_partial) filter (where basis = 'published') as bigint) as months_partial,
        'shares of a whole: nobody is seen to switch' as note
    from shares
    group by measure, source, series, as_of
)

select * from measured
