with parts as (
    select * from marts.composite_parts
),

present as (
    select
        *,
        sum(weight) filter (where score is not null) over (
            partition by composite, month, framework
        ) as weight_of_present,
        -- A source that never counts the framework is not missed; one that counts it in other months is.
        count(score) over (partition by composite, framework, source) > 0 as is_due
    from parts
    where weight > 0
),

-- The weights of the sources that are there are scaled up to one: a source that is not there is not a zero.
weighted as (
    select
        composite,
        month,
        framework,
        sum(weight * score) / nullif(sum(weight) filter (where score is not null), 0) as weighted_score,
        round(coalesce(sum(weight) filter (where score is not null), 0), 6) as weight_present,
        count(score) as sources_present,
        count(*) filter (where is_due) as sources_due,
        list(source order by source) filter (where score is not null) as sources,
        list(source order by source) filter (where score is null) as missing_sources,
        string_agg(source || ': ' || reason, '; ' order by source) filter (where score is null) as lacking,
        string_agg(source || ': ' || reason, '; ' order by source) filter (where score is null and is_due) as fallen,
        string_agg(
            source || ' ' || round(100 * weight / weight_of_present, 1) || ' %', ', ' order by source
        ) filter (where score is not null) as weights,
        greatest(month, max(known_from) filter (where score is not null)) as known_from
    from present
    group by composite, month, framework
),

judged as (
    select
        *,
        case
            when sources_present < 2 or weight_present < 0.5
                then 'two sources with half of the weight are needed' || coalesce('; ' || lacking, '')
            when sources_present < sources_due
                then 'a source of other months is missing, so the score would be of something else; ' || fallen
        end as reason
    from weighted
),

final as (
    select
        composite,
        month,
        framework,
        case when reason is null then round(weighted_score, 6) end as score,
        coalesce(sources, []) as sources,
        weights,
        weight_present,
        coalesce(missing_sources, []) as missing_sources,
        reason,
        known_from
    from judged
)

select * from final
