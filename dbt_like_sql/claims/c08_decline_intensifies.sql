with windows as (
    select * from marts.windows
    where framework = 'tensorflow' and measure in ('questions', 'the share') and months in (3, 12)
),

-- The window, the same window a year before, and that of two years before: the same months, so no season is seen.
changes as (
    select
        windows.*,
        before.level as before_level,
        windows.level / nullif(before.level, 0) - 1 as change,
        before.level / nullif(two_before.level, 0) - 1 as change_before,
        windows.months_found + before.months_found as found,
        before.months_lacking as lacking_before,
        two_before.months_lacking as lacking_two_before
    from windows
    left join windows as before
        on
            windows.basis = before.basis
            and windows.measure = before.measure
            and windows.series = before.series
            and windows.months = before.months
            and windows.as_of = before.as_of + interval 12 months
    left join windows as two_before
        on
            windows.basis = two_before.basis
            and windows.measure = two_before.measure
            and windows.series = two_before.series
            and windows.months = two_before.months
            and windows.as_of = two_before.as_of + interval 24 months
),

forms as (
    select
        *,
        measure || ' over ' || months || ' months on the year before' as formula,
        cast(since - interval 12 months as date) as looks_since,
        months_lacking + lacking_before as lacking,
        change as result,
        level as numerator,
        before_level as denominator
    from changes
    union all
    select
        *,
        'speed of change of ' || measure || ' over ' || months || ' months' as formula,
        cast(since - interval 24 months as date) as looks_since,
        months_lacking + lacking_before + lacking_two_before as lacking,
        change - change_before as result,
        change as numerator,
        change_before as denominator
    from changes
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.looks_since as since,
        published.result as value,
        exact.result as exact_value,
        published.found as n,
        published.numerator,
        published.denominator,
        published.lacking as months_lacking,
        case
            when published.result is null then 'too few months of the windows have a figure'
            -- What is foretold is seen in months after the article alone.
            when starts_with(published.formula, 'speed') and published.since <= date '2023-01-01'
                then 'the window still holds months from before the article'
        end as cannot_decide
    from forms as published
    left join forms as exact
        on
            published.formula = exact.formula
            and published.series = exact.series
            and published.as_of = exact.as_of
            and exact.basis = 'exact'
    where
        published.basis = 'published'
        and published.looks_since >= published.first_month
)

select * from measured
