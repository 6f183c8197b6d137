with downloads as (
    select * from staging.pypi
    where role in ('serving', 'edge') and framework in ('pytorch', 'tensorflow')
),

packages as (
    select * from meta.packages
    where role in ('serving', 'edge') and framework in ('pytorch', 'tensorflow')
),

bounds as (
    select * from meta.bounds
    where source = 'pypi' and side = 'at most'
),

questions as (
    select * from staging.stackoverflow
),

tags as (
    select * from meta.tags
    where role = 'deployment' and framework in ('pytorch', 'tensorflow')
),

known as (
    select
        'pypi' as source,
        series,
        month,
        package as name,
        downloads_per_day as value,
        null as at_most,
        is_partial
    from downloads
    union all
    -- A package that was in no list of the month had fewer downloads than the last one of the list.
    select
        'pypi' as source,
        bounds.series,
        bounds.month,
        bounds.key as name,
        null as value,
        bounds.value / bounds.days_covered as at_most,
        false as is_partial
    from bounds
    union all
    -- Interpolated questions are left out: none of these tags is worth an estimate.
    select
        'stackoverflow' as source,
        series,
        month,
        tagged as name,
        case when not coalesce(is_estimated, false) then questions end as value,
        null as at_most,
        is_partial
    from questions
),

tools as (
    select
        'pypi' as source,
        package as name,
        framework,
        unnest(list_concat(
            ['downloads of ' || role || ' packages', 'downloads of serving and edge packages'],
            -- Machines fetch this one by themselves: its downloads are automatic traffic for the most part.
            if(
                package = 'tensorflow-serving-api',
                [],
                ['downloads of deployment packages without tensorflow-serving-api']
            )
        )) as measure
    from packages
    union all
    select
        'stackoverflow' as source,
        tagged as name,
        framework,
        'questions on deployment tags' as measure
    from tags
),

figures as (
    select
        tools.source,
        known.series,
        known.month,
        tools.measure,
        tools.framework,
        tools.name,
        max(known.value) as value,
        case when max(known.value) is null then max(known.at_most) end as at_most,
        bool_or(known.is_partial and known.value is not null) as is_partial
    from known
    inner join tools on known.source = tools.source and known.name = tools.name
    group by tools.source, known.series, known.month, tools.measure, tools.framework, tools.name
),

-- A tool that a series neither has in any month nor bounds is not followed there. Without a tool of PyTorch,
-- TensorFlow's lead cannot be told; one of TensorFlow that is not followed only makes it smaller.
followed as (
    select
        series,
        measure,
        list(distinct name) as names
    from figures
    group by series, measure
),

unfollowed as (
    select
        followed.series,
        followed.measure,
        string_agg(tools.name, ', ' order by tools.name) as unfollowed
    from followed
    inner join tools on followed.measure = tools.measure and tools.source = 'pypi' and tools.framework = 'pytorch'
    where not list_contains(followed.names, tools.name)
    group by followed.series, followed.measure
),

final as (
    select
        month,
        source,
        series,
        measure,
        sum(value order by name) filter (where framework = 'tensorflow') as tensorflow,
        sum(value order by name) filter (where framework = 'pytorch') as pytorch,
        case
            when count(at_most) filter (where framework = 'tensorflow') > 0
                then sum(coalesce(value, at_most) order by name) filter (where framework = 'tensorflow')
        end as tensorflow_at_most,
        case
            when count(at_most) filter (where framework = 'pytorch') > 0
                then sum(coalesce(value, at_most) order by name) filter (where framework = 'pytorch')
        end as pytorch_at_most,
        string_agg(name, ', ' order by name) filter (where value is null) as lacking,
        bool_or(is_partial) as is_partial,
        count(distinct framework) = 2 as has_both_sides
    from figures
    group by month, source, series, measure
)

select
    final.*,
    unfollowed.unfollowed
from final
left join unfollowed on final.series = unfollowed.series and final.measure = unfollowed.measure
