with metrics as (
    select * from marts.framework_metrics
    where value is not null
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

final as (
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
)

select * from final
