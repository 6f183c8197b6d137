with metrics as (
    select * from marts.framework_metrics
),

populations as (
    select * from meta.populations
),

definitions as (
    select distinct
        source,
        metric,
        definition,
        series
    from metrics
),

frameworks as (
    select unnest(['tensorflow', 'pytorch', 'keras', 'jax']) as framework
),

counted as (
    select
        source,
        metric,
        definition,
        framework,
        min(month) filter (where value is not null) as first_month,
        max(month) filter (where value is not null) as last_month,
        count(value) as months_found,
        count(*) filter (where value is null) as months_lacking
    from metrics
    group by source, metric, definition, framework
),

final as (
    select
        definitions.source,
        definitions.metric,
        definitions.definition,
        frameworks.framework,
        definitions.series,
        counted.first_month,
        counted.last_month,
        coalesce(counted.months_found, 0) as months_found,
        coalesce(counted.months_lacking, 0) as months_lacking,
        case
            when coalesce(counted.months_found, 0) = 0
                then
                    definitions.series || ' has no figure of ' || frameworks.framework
                    || case
                        when definitions.source = 'papers' and frameworks.framework = 'keras'
                            then ': it counts Keras as TensorFlow'
                        else ''
                    end
                    || coalesce(' (' || populations.what || ')', '')
        end as reason
    from definitions
    cross join frameworks
    left join counted
        on
            definitions.source = counted.source
            and definitions.metric = counted.metric
            and definitions.definition = counted.definition
            and frameworks.framework = counted.framework
    left join populations
        on definitions.source = populations.source and definitions.series = populations.population
)

select * from final
