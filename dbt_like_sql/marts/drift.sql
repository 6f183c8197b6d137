with stackoverflow as (
    select
        'stackoverflow' as source,
        month,
        provider as series,
        tagged as key,
        questions as value,
        vintage,
        is_current
    from raw.stackoverflow_vintages
),

pypi as (
    select
        'pypi' as source,
        month,
        origin || ', ' || installers as series,
        package as key,
        downloads / nullif(days_covered, 0) as value,
        vintage,
        is_current
    from raw.pypi_vintages
),

-- Thousands of libraries times sets would hide the drift, so models are summed by set of formats.
huggingface as (
    select
        'huggingface' as source,
        month,
        population || case when provider = 'parquet' then ', parquet' else '' end as series,
        coalesce(nullif(array_to_string(formats, '+'), ''), case when formats is null then 'not known' else 'none' end)
            as key,
        sum(models) as value,
        vintage,
        is_current
    from raw.huggingface_vintages
    group by all
),

papers as (
    select
        'papers' as source,
        month,
        population as series,
        concat_ws(
            ', ',
            coalesce(nullif(array_to_string(frameworks, '+'), ''), 'none'),
            nullif(venue, '*'),
            case when official then 'official' when not official then 'not official' end
        ) as key,
        papers as value,
        vintage,
        is_current
    from raw.papers_vintages
),

figures as (
    select * from stackoverflow
    union all by name
    select * from pypi
    union all by name
    select * from huggingface
    union all by name
    select * from papers
),

-- What a later vintage no longer has, it has lost: a row without a value, not a row less.
vintages as (
    select distinct
        source,
        month,
        series,
        vintage,
        is_current
    from figures
),

keys as (
    select
        source,
        month,
        series,
        key,
        min(vintage) as first_seen
    from figures
    group by source, month, series, key
),

seen as (
    select
        keys.source,
        keys.month,
        keys.series,
        keys.key,
        vintages.vintage,
        keys.first_seen,
        figures.value::double as value,
        vintages.is_current
    from keys
    inner join vintages
        on
            keys.source = vintages.source
            and keys.month = vintages.month
            and keys.series = vintages.series
            and keys.first_seen <= vintages.vintage
    left join figures
        on
            keys.source = figures.source
            and keys.month = figures.month
            and keys.series = figures.series
            and keys.key = figures.key
            and vintages.vintage = figures.vintage
),

compared as (
    select
        *,
        first(value order by vintage) over (partition by source, month, series, key) as first_value,
        count(*) over (partition by source, month, series, key) as vintages_seen
    from seen
),

final as (
    select
        source,
        month,
        series,
        key,
        vintage,
        value,
        first_value,
        value - first_value as change,
        value / nullif(first_value, 0) - 1 as relative_change,
        first_seen,
        vintages_seen,
        is_current
    from compared
)

select * from final
