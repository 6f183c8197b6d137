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

definitions as (
    select * from meta.definitions
    where claim = 'C19'
),

closed_months as (
    select * from meta.months
),

-- Interpolated questions are left out: none of these tags is worth an estimate.
published as (
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

-- A series that follows one side only compares nothing.
months as (
    select
        measure,
        source,
        series,
        month,
        sum(value) filter (where framework = 'tensorflow') as tensorflow,
        sum(value) filter (where framework = 'pytorch') as pytorch,
        string_agg(name, ', ' order by name) filter (where value is null) as lacking,
        bool_or(is_partial and value is not null) as is_partial
    from published
    group by measure, source, series, month
    having count(distinct framework) = 2
),

measured as (
    select
        measure || ' in the month' as formula,
        source,
        series,
        month as as_of,
        month as from_month,
        tensorflow / nullif(pytorch, 0) as value,
        cast(coalesce(tensorflow, 0) + coalesce(pytorch, 0) as bigint) as n,
        tensorflow as numerator,
        pytorch as denominator,
        case when tensorflow / nullif(pytorch, 0) is null then 'one side has no figure' end as cannot_decide,
        if(tensorflow is null or pytorch is null, 1, 0) as months_lacking,
        if(is_partial, 1, 0) as months_partial,
        lacking,
        null as remark
    from months
),

unmeasured as (
    select
        definitions.formula as definition,
        (select max(closed_months.month) from closed_months) as as_of,
        cast(null as double) as value,
        cast(0 as bigint) as n,
        cast(json_object('cannot_decide', 'no figures for: ' || definitions.meaning) as varchar) as detail
    from definitions
    anti join measured on definitions.formula = measured.formula
),

final as (
    select
        formula || ', ' || series as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object(
            'source', source, 'since', from_month, 'numerator', round(numerator, 9),
            'denominator', round(denominator, 9), 'months_lacking', months_lacking, 'months_partial', months_partial,
            'lacking', lacking, 'note', remark, 'cannot_decide', cannot_decide
        ) as varchar) as detail
    from measured
    union all
    select * from unmeasured
)

select * from final
