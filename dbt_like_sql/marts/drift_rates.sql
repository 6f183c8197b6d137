with figures as (
    select * from marts.figure_history
),

drift as (
    select * from marts.drift
),

losses as (
    select * from meta.question_losses
),

tags as (
    select * from meta.tags
    where role = 'core'
),

packages as (
    select * from meta.packages
    where role = 'core'
),

-- The keys that are a framework's own count.
names as (
    select
        'stackoverflow' as source,
        tagged as key,
        framework
    from tags
    union all
    select
        'pypi' as source,
        package as key,
        framework
    from packages
),

-- A figure whose day is not known was taken late, when part of its drift was over: it shows nothing.
seen_twice as (
    select
        source,
        series,
        key,
        'at once' as taken,
        greatest(date_trunc('month', last_observed_on), month)::date as known_from,
        value,
        first_value as compared_value
    from figures
    where is_current and value is not null and first_value > 0 and last_observed_on > first_observed_on
    union all
    select
        source,
        series,
        key,
        'at once' as taken,
        greatest(date_trunc('month', observed_on), month)::date as known_from,
        value,
        compared_value
    from drift
    where kind = 'recount' and compared_value > 0 and compared_on is not null
    union all
    -- Two ways of counting the same thing say how far either may be from the other.
    select
        source,
        unnest([series, compared_with]) as series,
        key,
        'another way' as taken,
        greatest(date_trunc('month', observed_on), date_trunc('month', compared_on), month)::date as known_from,
        unnest([compared_value, value]) as value,
        unnest([value, compared_value]) as compared_value
    from drift
    where kind = 'series' and value > 0 and compared_value > 0
),

-- Each figure counts for its framework, if it has one, and for all figures of its series together.
counted as (
    select
        *,
        null::varchar as framework
    from seen_twice
    union all by name
    select
        seen_twice.*,
        names.framework
    from seen_twice
    inner join names on seen_twice.source = names.source and seen_twice.key = names.key
),

monthly as (
    select
        source,
        series,
        framework,
        taken,
        known_from,
        count(*) as figures,
        sum(value) as value,
        sum(compared_value) as compared_value,
        min(value / compared_value - 1) as lowest,
        max(value / compared_value - 1) as highest
    from counted
    group by source, series, framework, taken, known_from
),

cumulative as (
    select
        source,
        series,
        framework,
        taken,
        known_from,
        sum(figures) over so_far::bigint as figures,
        -- Rounded, so that the order of adding cannot be seen.
        round(sum(value) over so_far / sum(compared_value) over so_far - 1, 9) as drift,
        min(lowest) over so_far as lowest,
        max(highest) over so_far as highest
    from monthly
    window
        so_far as (
            partition by source, series, framework, taken
            order by known_from
        )
),

-- Of figures that were taken late, only rates are known, not the counts behind them.
published as (
    select
        'stackoverflow' as source,
        'recorded' as series,
        tags.framework,
        'late' as taken,
        date_trunc('month', losses.observed_on)::date as known_from,
        datediff('month', losses.first_month, losses.last_month) + 1 as figures,
        losses.loss as drift,
        losses.loss as lowest,
        losses.loss as highest
    from losses
    inner join tags on losses.tagged = tags.tagged
),

final as (
    select * from cumulative
    union all
    select * from published
)

select * from final
