with figures as (
    select * from marts.figure_history
),

recounts as (
    select * from meta.question_listings
    where side = 'exact'
),

-- What the first vintage of a series has for a month has not changed yet.
changed as (
    select * from figures
    qualify vintage > min(vintage) over (partition by source, month, provider, series)
),

current_figures as (
    select * from figures
    where is_current and value is not null
),

-- Two series that count the same thing, by other ways or with other installers. Models or papers of two populations
-- are not the same thing.
compared as (
    select
        'vintage' as kind,
        source,
        month,
        provider,
        series,
        series as compared_with,
        key,
        vintage,
        value,
        previous_value,
        first_value as compared_value,
        observed_on,
        first_observed_on as compared_on,
        first_seen,
        vintages_seen,
        is_current
    from changed
    union all
    select
        'series' as kind,
        one.source,
        one.month,
        one.provider,
        one.series,
        other.series as compared_with,
        one.key,
        one.vintage,
        one.value,
        null as previous_value,
        other.value as compared_value,
        one.last_observed_on as observed_on,
        other.last_observed_on as compared_on,
        one.first_seen,
        one.vintages_seen,
        one.is_current
    from current_figures as one
    inner join current_figures as other
        on
            one.source = other.source
            and one.month = other.month
            and one.counted = other.counted
            and one.key = other.key
            and one.series > other.series
    union all
    -- What somebody else counted later, of the same month and tag; bounds are no counts.
    select
        'recount' as kind,
        current_figures.source,
        current_figures.month,
        current_figures.provider,
        current_figures.series,
        'recount by ' || recounts.origin as compared_with,
        current_figures.key,
        current_figures.vintage,
        recounts.questions as value,
        null as previous_value,
        current_figures.value as compared_value,
        recounts.observed_on,
        current_figures.last_observed_on as compared_on,
        current_figures.first_seen,
        current_figures.vintages_seen,
        current_figures.is_current
    from current_figures
    inner join recounts
        on
            current_figures.source = 'stackoverflow'
            and current_figures.series = 'recorded'
            and current_figures.month = recounts.month
            and current_figures.key = recounts.tagged
),

final as (
    select
        kind,
        source,
        month,
        provider,
        series,
        compared_with,
        key,
        vintage,
        value,
        previous_value,
        compared_value,
        value - compared_value as change,
        value / nullif(compared_value, 0) - 1 as relative_change,
        observed_on,
        compared_on,
        first_seen,
        vintages_seen,
        is_current
    from compared
)

select * from final
