with figures as (
    select
        *,
        origin || ', ' || installers as series
    from raw.pypi
),

packages as (
    select * from meta.packages
),

months as (
    select * from meta.months
),

statements as (
    select * from meta.statements
    where source = 'pypi'
),

outages as (
    select * from meta.outages
    where source = 'pypi'
),

spans as (
    select
        provider,
        series,
        origin,
        installers,
        package,
        min(month) as first_month,
        max(month) as last_month
    from figures
    group by provider, series, origin, installers, package
),

spine as (
    select
        months.month,
        spans.provider,
        spans.series,
        spans.origin,
        spans.installers,
        spans.package
    from spans
    inner join months on months.month between spans.first_month and spans.last_month
),

answered as (
    select distinct
        series,
        month
    from figures
),

said as (
    select
        provider,
        month,
        arg_max(cause, "at") as cause  -- noqa: RF06
    from statements
    group by provider, month
),

all_series as (
    select distinct series from spans
),

-- Of several outages in a month, the shortest says best why a figure is not there.
lost as (
    select
        all_series.series,
        months.month,
        arg_min(outages.effect || ' (' || outages.reference || ')', outages.last_day - outages.first_day) as effect
    from months
    cross join all_series
    inner join outages
        on
            months.month <= outages.last_day
            and outages.first_day < months.month + interval 1 month
            and starts_with(all_series.series, coalesce(outages.series, ''))
    group by all_series.series, months.month
),

measured as (
    select
        spine.month,
        spine.provider,
        spine.series,
        spine.origin,
        spine.installers,
        spine.package,
        packages.framework,
        packages.role,
        packages.counts_in_family,
        figures.downloads,
        figures.window_start,
        figures.days_covered,
        day(last_day(spine.month))::integer as days_in_month,
        least(figures.window_start + figures.days_covered, last_day(spine.month) + 1)
        - greatest(figures.window_start, spine.month) as days_of_month,
        figures.downloads / nullif(figures.days_covered, 0) as downloads_per_day,
        answered.month is not null as series_has_month,
        said.cause,
        lost.effect,
        figures.method,
        figures.observed_on,
        figures.evidence,
        figures.observed_at
    from spine
    left join figures
        on
            spine.month = figures.month
            and spine.provider = figures.provider
            and spine.series = figures.series
            and spine.package = figures.package
    left join packages on spine.package = packages.package
    left join answered on spine.month = answered.month and spine.series = answered.series
    left join said on spine.month = said.month and spine.provider = said.provider
    left join lost on spine.month = lost.month and spine.series = lost.series
),

final as (
    select
        month,
        series,
        origin,
        installers,
        package,
        framework,
        role,
        counts_in_family,
        downloads,
        window_start,
        days_covered,
        days_in_month,
        downloads_per_day,
        coalesce(window_start = month and days_covered = days_in_month, false) as is_calendar_month,
        coalesce(days_of_month < days_in_month, false) as is_partial,
        case
            when downloads is null and series_has_month
                then series || ' has no figure of this package for this month, though it has others'
            when downloads is null
                then coalesce(
                    cause,
                    series || ' has no figure for this month' || coalesce('; known trouble then: ' || effect, '')
                )
            when days_of_month < days_in_month
                then
                    concat(
                        'the figure is for ', days_covered, ' days from ', window_start, ', which hold ',
                        greatest(days_of_month, 0), ' of the ', days_in_month, ' days of the month'
                    )
        end as gap_reason,
        method,
        observed_on,
        provider,
        evidence,
        observed_at
    from measured
)

select * from final
