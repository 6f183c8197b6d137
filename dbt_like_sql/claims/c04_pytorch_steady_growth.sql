with figures as (
    select * from marts.figures_by_basis
    where framework = 'pytorch' and measure in ('questions', 'the share', 'downloads')
),

windows as (
    select * from marts.windows
    where
        framework = 'pytorch'
        and measure in ('questions', 'the share', 'downloads', 'the share of papers')
        and months = 12
),

populations as (
    select * from meta.populations
    where source = 'papers' and is_sample
),

changes as (
    select
        windows.*,
        before.level as level_before,
        before.months_lacking as lacking_before,
        before.months_partial as partial_before,
        windows.level / nullif(before.level, 0) - 1 as change
    from windows
    inner join windows as before
        on
            windows.basis = before.basis
            and windows.measure = before.measure
            and windows.series = before.series
            and windows.as_of = before.as_of + interval 12 months
    where before.since >= before.first_month
),

-- Three years, each against the one before: growth is as steady as the weakest of them.
smallest as (
    select
        changes.basis,
        'smallest yearly change of ' || changes.measure || ' over 3 years' as formula,
        changes.source,
        changes.series,
        changes.as_of,
        cast(changes.since - interval 36 months as date) as since,
        sum(past.months_found) as n,
        sum(past.months_lacking) + arg_min(past.lacking_before, past.as_of) as months_lacking,
        sum(past.months_partial) + arg_min(past.partial_before, past.as_of) as months_partial,
        case when count(past.change) = 3 then min(past.change) end as result,
        arg_min(past.level, struct_pack(change := past.change, as_of := past.as_of)) as numerator,
        arg_min(past.level_before, struct_pack(change := past.change, as_of := past.as_of)) as denominator,
        'smallest in the year to '
        || strftime(arg_min(past.as_of, struct_pack(change := past.change, as_of := past.as_of)), '%Y-%m') as note
    from changes
    inner join changes as past
        on
            changes.basis = past.basis
            and changes.measure = past.measure
            and changes.series = past.series
            and datediff('month', past.as_of, changes.as_of) in (0, 12, 24)
    where changes.since - interval 36 months >= changes.first_month
    group by changes.basis, changes.measure, changes.source, changes.series, changes.as_of, changes.since
),

-- Of all pairs of months, those in which the later one is the higher one.
ordered as (
    select
        windows.basis,
        'pairs of months in rising order of ' || windows.measure || ' over 3 years' as formula,
        windows.source,
        windows.series,
        windows.as_of,
        cast(windows.since - interval 24 months as date) as since,
        count(distinct later.month) + 1 as n,
        35 - count(distinct later.month) as months_lacking,
        count(distinct earlier.month) filter (where earlier.is_partial)
        + max(if(later.is_partial and later.month = windows.as_of, 1, 0)) as months_partial,
        avg(if(later.figure > earlier.figure, 1, 0)) as result,
        count(*) filter (where later.figure > earlier.figure) as numerator,
        count(*) as denominator,
        null as note
    from windows
    inner join figures as later
        on
            windows.basis = later.basis
            and windows.measure = later.measure
            and windows.series = later.series
            and later.month between windows.since - interval 24 months and windows.as_of
    inner join figures as earlier
        on
            windows.basis = earlier.basis
            and windows.measure = earlier.measure
            and windows.series = earlier.series
            and earlier.month >= windows.since - interval 24 months
            and later.month > earlier.month
    where
        windows.since - interval 24 months >= windows.first_month
        and later.figure is not null
        and earlier.figure is not null
    group by windows.basis, windows.measure, windows.source, windows.series, windows.as_of, windows.since
),

forms as (
    select * from smallest
    union all
    select * from ordered
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.since,
        published.result as value,
        exact.result as exact_value,
        cast(published.n as bigint) as n,
        cast(published.numerator as double) as numerator,
        cast(published.denominator as double) as denominator,
        cast(published.months_lacking as bigint) as months_lacking,
        cast(published.months_partial as bigint) as months_partial,
        case
            when populations.is_sample then 'a sample: ' || published.series || ' is not all papers'
            when published.result is null then 'too few months have a figure'
        end as cannot_decide,
        published.note
    from forms as published
    left join forms as exact
        on
            published.formula = exact.formula
            and published.series = exact.series
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    left join populations on published.series = populations.population
    where published.basis = 'published'
)

select * from measured
