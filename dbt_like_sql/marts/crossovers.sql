with metrics as (
    select * from marts.framework_metrics
    where value is not null
),

-- Both frameworks in the months in which both have a figure.
pairs as (
    select
        one.source,
        one.metric,
        one.definition,
        one.series,
        one.month,
        one.framework as one,
        two.framework as two,
        sign(one.value - two.value) as order_of_one,
        one.is_estimated or two.is_estimated as is_estimated
    from metrics as one
    inner join metrics as two
        on
            one.source = two.source
            and one.metric = two.metric
            and one.definition = two.definition
            and one.month = two.month
            and one.framework < two.framework
),

led as (
    select
        *,
        first_value(order_of_one) over (
            partition by source, metric, definition, one, two
            order by order_of_one = 0, month
        ) as order_at_first
    from pairs
),

followed as (
    select
        source,
        metric,
        definition,
        series,
        month,
        case when order_at_first > 0 then one else two end as leader,
        case when order_at_first > 0 then two else one end as challenger,
        order_of_one * order_at_first < 0 as is_ahead,
        is_estimated,
        count(*) over later as months_since,
        count(*) over next_six as months_judged,
        coalesce(bool_and(order_of_one * order_at_first < 0) over next_six, true) as has_stayed
    from led
    where order_at_first != 0
    window
        later as (
            partition by source, metric, definition, one, two
            order by month
            rows between 1 following and unbounded following
        ),
        next_six as (
            partition by source, metric, definition, one, two
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
