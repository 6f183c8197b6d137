with pytorch as (
    select * from marts.figures_by_basis
    where framework = 'pytorch' and measure in ('questions', 'the share', 'downloads', 'the share of papers')
),

populations as (
    select * from meta.populations
    where source = 'papers'
),

figures as (
    select
        pytorch.*,
        coalesce(populations.is_sample, false) as is_sample,
        min(pytorch.month) filter (where pytorch.part is not null) over (
            partition by pytorch.measure, pytorch.series
        ) as first_month
    from pytorch
    left join populations on pytorch.series = populations.population
),

years as (
    select
        basis,
        measure,
        source,
        series,
        is_sample,
        first_month,
        month as as_of,
        sum(part) filter (where figure is not null) over last_year
        / nullif(sum(whole) filter (where figure is not null) over last_year, 0) as level,
        count(figure) over last_year as months_found,
        48 - count(figure) over four_years as months_lacking,
        count(*) filter (where is_partial) over four_years as months_partial,
        count(*) filter (where is_partial) over three_years as months_partial_of_three_years
    from figures
    window
        last_year as (
            partition by basis, measure, series
            order by month range between interval 11 months preceding and current row
        ),
        three_years as (
            partition by basis, measure, series
            order by month range between interval 35 months preceding and current row
        ),
        four_years as (
            partition by basis, measure, series
            order by month range between interval 47 months preceding and current row
        )
),

changes as (
    select
        years.*,
        earlier.level as earlier_level,
        years.level / nullif(earlier.level, 0) - 1 as change
    from years
    inner join years as earlier
        on
            years.basis = earlier.basis
            and years.measure = earlier.measure
            and years.series = earlier.series
            and years.as_of = earlier.as_of + interval 12 months
    -- A year of a monthly series needs eight months; a year of venues is whatever met.
    where
        earlier.as_of >= years.first_month + interval 11 months
        and ((years.months_found >= 8 and earlier.months_found >= 8) or years.source = 'papers')
),

-- Three years, each against the one before: growth is as steady as the weakest of them.
smallest as (
    select
        changes.basis,
        'smallest yearly change of ' || changes.measure || ' over 3 years' as formula,
        changes.source,
        changes.series,
        changes.is_sample,
        changes.as_of,
        48 as months,
        sum(past.months_found) as n,
        -- Venues meet in some months only: a month without one lacks nothing.
        if(changes.source = 'papers', 0, any_value(changes.months_lacking)) as months_lacking,
        any_value(changes.months_partial) as months_partial,
        case when count(past.change) = 3 then min(past.change) end as result,
        arg_min(past.level, struct_pack(change := past.change, as_of := past.as_of)) as numerator,
        arg_min(past.earlier_level, struct_pack(change := past.change, as_of := past.as_of)) as denominator,
        'smallest in the year to '
        || strftime(arg_min(past.as_of, struct_pack(change := past.change, as_of := past.as_of)), '%Y-%m') as remark
    from changes
    inner join changes as past
        on
            changes.basis = past.basis
            and changes.measure = past.measure
            and changes.series = past.series
            and past.as_of in (
                changes.as_of, changes.as_of - interval 12 months, changes.as_of - interval 24 months
            )
    where changes.as_of >= changes.first_month + interval 47 months
    group by changes.basis, changes.measure, changes.source, changes.series, changes.is_sample, changes.as_of
),

-- Of all pairs of months, those in which the later one is the higher one.
ordered as (
    select
        years.basis,
        'pairs of months in rising order of ' || years.measure || ' over 3 years' as formula,
        years.source,
        years.series,
        years.is_sample,
        years.as_of,
        36 as months,
        count(distinct later.month) + 1 as n,
        35 - count(distinct later.month) as months_lacking,
        any_value(years.months_partial_of_three_years) as months_partial,
        avg(if(later.figure > earlier.figure, 1, 0)) as result,
        count(*) filter (where later.figure > earlier.figure) as numerator,
        count(*) as denominator,
        null as remark
    from years
    inner join figures as later
        on
            years.basis = later.basis
            and years.measure = later.measure
            and years.series = later.series
            and later.month between years.as_of - interval 35 months and years.as_of
    inner join figures as earlier
        on
            years.basis = earlier.basis
            and years.measure = earlier.measure
            and years.series = earlier.series
            and earlier.month >= years.as_of - interval 35 months
            and later.month > earlier.month
    where
        years.source != 'papers'
        and years.as_of >= years.first_month + interval 35 months
        and later.figure is not null
        and earlier.figure is not null
    group by years.basis, years.measure, years.source, years.series, years.is_sample, years.as_of
),

forms as (
    select * from smallest
    union all
    select * from ordered
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        cast(as_of - to_months(any_value(months) - 1) as date) as since,
        max(result) filter (where basis = 'published') as value,
        max(result) filter (where basis = 'exact') as exact_value,
        cast(max(n) filter (where basis = 'published') as bigint) as n,
        max(numerator) filter (where basis = 'published') as numerator,
        max(denominator) filter (where basis = 'published') as denominator,
        case
            when bool_or(is_sample) then 'a sample: ' || series || ' is not all papers'
            when max(result) filter (where basis = 'published') is null then 'too few months have a figure'
        end as cannot_decide,
        max(months_lacking) filter (where basis = 'published') as months_lacking,
        max(months_partial) as months_partial,
        max(remark) filter (where basis = 'published') as note
    from forms
    group by formula, source, series, as_of
)

select * from measured
