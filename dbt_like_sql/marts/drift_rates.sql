with drift as (
    select * from marts.drift
),

-- A figure whose day nobody says was taken late: it has drifted already, and shows nothing.
seen_twice as (
    select
        source,
        series,
        kind,
        greatest(date_trunc('month', observed_on), month)::date as known_from,
        value,
        compared_value
    from drift
    where
        value is not null
        and compared_value > 0
        and (
            (kind = 'vintage' and is_current and vintages_seen > 1 and observed_on > compared_on)
            or (kind = 'recount' and compared_on is not null)
        )
    union all
    -- Two ways of counting the same thing say how far either may be from the other.
    select
        source,
        unnest([series, compared_with]) as series,
        kind,
        greatest(date_trunc('month', observed_on), date_trunc('month', compared_on), month)::date as known_from,
        unnest([compared_value, value]) as value,
        unnest([value, compared_value]) as compared_value
    from drift
    where kind = 'series' and value > 0 and compared_value > 0
),

monthly as (
    select
        source,
        series,
        known_from,
        count(*) as figures,
        sum(value) as value,
        sum(compared_value) as compared_value,
        min(value / compared_value - 1) as lowest,
        max(value / compared_value - 1) as highest
    from seen_twice
    group by source, series, known_from
),

final as (
    select
        source,
        series,
        known_from,
        sum(figures) over so_far::bigint as figures,
        -- Rounded, so that the order of adding cannot be seen.
        round(sum(value) over so_far / sum(compared_value) over so_far - 1, 9) as drift,
        min(lowest) over so_far as lowest,
        max(highest) over so_far as highest
    from monthly
    window
        so_far as (
            partition by source, series
            order by known_from
        )
)

select * from final
