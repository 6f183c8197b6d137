with metrics as (
    select * from marts.framework_metrics
    -- Nobody leads, or is passed, before there is anything to use.
    where value is not null and before_release is not true
),

headline_series as (
    select * from meta.headline_series
),

-- Every ordered pair, in the months in which both have a figure.
pairs as (
    select
        one.source,
        one.metric,
        one.definition,
        one.series,
        one.month,
        one.framework as leader,
        two.framework as challenger,
        sign(one.value - two.value) as lead_of_leader,
        one.is_estimated or two.is_estimated as is_estimated
    from metrics as one
    inner join metrics as two
        on
            one.source = two.source
            and one.metric = two.metric
            and one.definition = two.definition
            and one.month = two.month
            and one.framework != two.framework
),

led as (
    select
        *,
        min(month) filter (where lead_of_leader > 0) over whole as led_from,
        min(month) filter (where lead_of_leader < 0) over whole as led_against_from
    from pairs
    window whole as (partition by source, metric, definition, leader, challenger)
),

-- Nobody can be passed who was never ahead.
followed as (
    select
        *,
        lead_of_leader < 0 and month > led_from as is_ahead,
        count(*) over later as months_since,
        count(*) over next_six as months_judged,
        coalesce(bool_and(lead_of_leader < 0) over next_six, true) as has_stayed
    from led
    where led_from is not null
    window
        later as (
            partition by source, metric, definition, leader, challenger
            order by month
            rows between 1 following and unbounded following
        ),
        next_six as (
            partition by source, metric, definition, leader, challenger
            order by month
            rows between 1 following and 6 following
        )
),

crossings as (
    select
        source,
        metric,
        definition,
        series,
        leader,
        challenger,
        coalesce(min(led_from) < min(led_against_from), true) as led_first,
        min(month) as first_month,
        max(month) as last_month,
        count(*) as months_observed,
        min(month) filter (where is_ahead) as crossed,
        arg_min_null(case when not has_stayed then false when months_judged = 6 then true end, month) filter (
            where is_ahead
        ) as lasted,
        arg_min(months_since, month) filter (where is_ahead) as months_since,
        min(month) filter (where is_ahead and has_stayed and months_judged = 6) as settled,
        coalesce(arg_min(is_estimated, month) filter (where is_ahead), false) as leans_on_estimate
    from followed
    group by source, metric, definition, series, leader, challenger
),

-- Of the series that may lead, the one that has seen both for longest.
longest as (
    select
        crossings.source,
        crossings.leader,
        crossings.challenger,
        arg_min(
            headline_series.definition, { 'months': -crossings.months_observed, 'rank': headline_series.rank }
        ) as definition
    from crossings
    inner join headline_series
        on
            crossings.source = headline_series.source
            and crossings.metric = headline_series.metric
            and crossings.definition = headline_series.definition
    group by crossings.source, crossings.leader, crossings.challenger
),

final as (
    select
        crossings.source,
        crossings.metric,
        crossings.definition,
        crossings.series,
        longest.definition is not null as is_headline,
        crossings.leader,
        crossings.challenger,
        crossings.led_first,
        crossings.first_month,
        crossings.last_month,
        crossings.months_observed,
        crossings.crossed,
        crossings.lasted,
        crossings.months_since,
        crossings.settled,
        crossings.leans_on_estimate
    from crossings
    left join longest
        on
            crossings.source = longest.source
            and crossings.definition = longest.definition
            and crossings.leader = longest.leader
            and crossings.challenger = longest.challenger
)

select * from final
