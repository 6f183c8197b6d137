with weights as (
    select
        *,
        sum(weight) over (partition by composite) as whole_weight
    from meta.composite_weights
),

metrics as (
    select * from marts.framework_metrics
    where framework in ('tensorflow', 'pytorch', 'keras', 'jax')
),

closed_months as (
    select * from meta.months
),

frameworks as (
    select unnest(['tensorflow', 'pytorch', 'keras', 'jax']) as framework
),

-- An interpolated figure is no measurement, and does not go in.
figures as (
    select
        weights.composite,
        weights.source,
        metrics.framework,
        metrics.month,
        metrics.segment,
        metrics.known_from,
        metrics.value
    from metrics
    inner join weights
        on
            metrics.source = weights.source
            and metrics.metric = weights.metric
            and metrics.definition = weights.definition
    where metrics.value is not null and not coalesce(metrics.is_estimated, false)
),

-- What a figure is held against: the mean of the two frameworks that every source counts, in the same month.
standards as (
    select
        composite,
        source,
        month,
        sum(value) / 2 as standard
    from figures
    where framework in ('tensorflow', 'pytorch')
    group by composite, source, month
    having count(*) = 2
),

held as (
    select
        figures.composite,
        figures.source,
        figures.framework,
        figures.month,
        figures.segment,
        figures.known_from,
        figures.value,
        standards.standard
    from figures
    inner join standards
        on
            figures.composite = standards.composite
            and figures.source = standards.source
            and figures.month = standards.month
),

spans as (
    select
        composite,
        min(month) as first_month,
        max(month) as last_month
    from figures
    group by composite
),

latest as (
    select max(month) as month from closed_months
),

-- A composite without any figure has one month, to say so.
composites as (
    select
        weights.composite,
        coalesce(spans.first_month, any_value(latest.month)) as first_month,
        coalesce(spans.last_month, any_value(latest.month)) as last_month
    from weights
    cross join latest
    left join spans on weights.composite = spans.composite
    group by weights.composite, spans.first_month, spans.last_month
),

spine as (
    select
        composites.composite,
        closed_months.month,
        weights.source,
        weights.definition,
        weights.weight,
        weights.whole_weight,
        weights.window_months,
        weights.least_months,
        frameworks.framework
    from composites
    inner join closed_months on closed_months.month between composites.first_month and composites.last_month
    inner join weights on composites.composite = weights.composite
    cross join frameworks
),

windows as (
    select
        spine.*,
        held.month as held_month,
        held.value,
        held.standard,
        held.known_from,
        held.segment = max(held.segment) over (
            partition by spine.composite, spine.month, spine.framework, spine.source
        ) as is_of_one_kind
    from spine
    left join held
        on
            spine.composite = held.composite
            and spine.source = held.source
            and spine.framework = held.framework
            and spine.month >= held.month
            and held.month > spine.month - to_months(spine.window_months::integer)
),

-- The figures of the window over the standards of the same months: a month that one of them lacks is in neither, nor
-- is one from before a break of the series.
scored as (
    select
        composite,
        month,
        framework,
        source,
        definition,
        weight,
        whole_weight,
        window_months,
        least_months,
        count(held_month) filter (where is_of_one_kind) as months_found,
        100 * sum(value) filter (where is_of_one_kind)
        / nullif(sum(standard) filter (where is_of_one_kind), 0) as score,
        max(known_from) filter (where is_of_one_kind) as known_from
    from windows
    group by composite, month, framework, source, definition, weight, whole_weight, window_months, least_months
),

final as (
    select
        composite,
        month,
        framework,
        source,
        definition,
        weight / nullif(whole_weight, 0) as weight,
        months_found,
        case when months_found >= least_months then round(score, 6) end as score,
        case
            when months_found < least_months
                then
                    'figures of ' || framework || ' and of the two that it is held against in ' || months_found
                    || ' of ' || window_months || ' months, ' || least_months || ' needed'
            when score is null then 'none of TensorFlow and PyTorch was counted'
        end as reason,
        greatest(month, known_from) as known_from
    from scored
)

select * from final
