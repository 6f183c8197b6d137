with stackoverflow as (
    select
        'stackoverflow' as source,
        month,
        provider,
        provider as series,
        'questions' as counted,
        tagged as key,
        questions as value,
        observed_on,
        vintage,
        is_current
    from raw.stackoverflow_vintages
),

pypi as (
    select
        'pypi' as source,
        month,
        provider,
        origin || ', ' || installers as series,
        'downloads per day' as counted,
        package as key,
        downloads / nullif(days_covered, 0) as value,
        observed_on,
        vintage,
        is_current
    from raw.pypi_vintages
),

-- Thousands of libraries times sets would hide the drift, so models are summed by set of formats.
huggingface as (
    select
        'huggingface' as source,
        month,
        provider,
        population || case when provider = 'parquet' then ', parquet' else '' end as series,
        population as counted,
        coalesce(nullif(array_to_string(formats, '+'), ''), case when formats is null then 'not known' else 'none' end)
            as key,
        sum(models) as value,
        max(observed_on) as observed_on,
        vintage,
        is_current
    from raw.huggingface_vintages
    group by month, provider, series, counted, key, vintage, is_current
),

papers as (
    select
        'papers' as source,
        month,
        provider,
        population as series,
        population as counted,
        concat_ws(
            ', ',
            coalesce(nullif(array_to_string(frameworks, '+'), ''), 'none'),
            nullif(venue, '*'),
            case when official then 'official' when not official then 'not official' end
        ) as key,
        papers as value,
        observed_on,
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

vintages as (
    select distinct
        source,
        month,
        provider,
        vintage,
        is_current
    from figures
),

keys as (
    select
        source,
        month,
        provider,
        series,
        counted,
        key,
        min(vintage) as first_seen
    from figures
    group by source, month, provider, series, counted, key
),

-- What a later vintage no longer has, it has lost: a figure without a value, not a figure less.
observations as (
    select
        keys.*,
        vintages.vintage,
        vintages.is_current,
        figures.value::double as value,
        figures.observed_on
    from keys
    inner join vintages
        on
            keys.source = vintages.source
            and keys.month = vintages.month
            and keys.provider = vintages.provider
            and keys.first_seen <= vintages.vintage
    left join figures
        on
            keys.source = figures.source
            and keys.month = figures.month
            and keys.provider = figures.provider
            and keys.series = figures.series
            and keys.key = figures.key
            and vintages.vintage = figures.vintage
),

beside_the_one_before as (
    select
        *,
        lag(value) over figure as previous_value,
        first(value) over figure as first_value,
        first(observed_on) over figure as first_observed_on,
        count(*) over (partition by source, month, provider, series, key) as vintages_seen
    from observations
    window
        figure as (
            partition by source, month, provider, series, key
            order by vintage
        )
),

numbered as (
    select
        *,
        count(*) filter (where vintage = first_seen or value is distinct from previous_value) over (
            partition by source, month, provider, series, key
            order by vintage
        ) as nth
    from beside_the_one_before
),

final as (
    select
        source,
        month,
        provider,
        series,
        counted,
        key,
        min(vintage) as vintage,
        any_value(value) as value,
        first(previous_value order by vintage) as previous_value,
        first_value,
        first(observed_on order by vintage) as observed_on,
        first(observed_on order by is_current desc, vintage desc) as last_observed_on,
        first_observed_on,
        count(*) as vintages,
        first_seen,
        vintages_seen,
        bool_or(is_current) as is_current
    from numbered
    group by
        source, month, provider, series, counted, key, nth, first_value, first_observed_on, first_seen, vintages_seen
)

select * from final
