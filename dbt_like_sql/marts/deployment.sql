with downloads as (
    select * from staging.pypi
    where role in ('serving', 'edge') and framework in ('pytorch', 'tensorflow')
),

questions as (
    select * from staging.stackoverflow
),

tags as (
    select * from meta.tags
    where role = 'deployment' and framework in ('pytorch', 'tensorflow')
),

-- Interpolated questions are left out: none of these tags is worth an estimate.
figures as (
    select
        'pypi' as source,
        series,
        month,
        framework,
        package as name,
        unnest(['downloads of ' || role || ' packages', 'downloads of serving and edge packages']) as measure,
        downloads_per_day as value,
        is_partial
    from downloads
    union all
    select
        'stackoverflow' as source,
        questions.series,
        questions.month,
        tags.framework,
        questions.tagged as name,
        'questions on deployment tags' as measure,
        case when not coalesce(questions.is_estimated, false) then questions.questions end as value,
        questions.is_partial
    from questions
    inner join tags on questions.tagged = tags.tagged
),

final as (
    select
        month,
        source,
        series,
        measure,
        sum(value) filter (where framework = 'tensorflow') as tensorflow,
        sum(value) filter (where framework = 'pytorch') as pytorch,
        string_agg(name, ', ' order by name) filter (where value is null) as lacking,
        bool_or(is_partial and value is not null) as is_partial,
        count(distinct framework) = 2 as has_both_sides
    from figures
    group by month, source, series, measure
)

select * from final
