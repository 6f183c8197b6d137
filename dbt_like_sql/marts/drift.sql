with recounts as (
    select * from meta.question_listings
    where side = 'exact'
),

stackoverflow as (
    select
        'stackoverflow' as source,
        month,
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
        population || case when provider = 'parquet' then ', parquet' else '' end as series,
        population as counted,
        coalesce(nullif(array_to_string(formats, '+'), ''), case when formats is null then 'not known' else 'none' end)
            as key,
        sum(models) as value,
        max(observed_on) as observed_on,
        vintage,
        is_current
    from raw.huggingface_vintages
    group by month, series, counted, key, vintage, is_current
),

papers as (
    select
        'papers' as source,
        month,
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
        counted,
        key,
        min(vintage) as first_seen
    from figures
    group by source, month, series, counted, key
),

seen as (
    select
        keys.source,
        keys.month,
        keys.series,
        keys.counted,
        keys.key,
        vintages.vintage,
        keys.first_seen,
        figures.value::double as value,
        figures.observed_on,
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

moved as (
    select
        *,
        first(value order by vintage) over (partition by source, month, series, key) as first_value,
        first(observed_on order by vintage) over (partition by source, month, series, key) as first_observed_on,
        count(*) over (partition by source, month, series, key) as vintages_seen
    from seen
),

current_figures as (
    select * from moved
    where is_current and value is not null
),

-- Two series that count the same thing, by other ways or with other installers. Models or papers of two populations
-- are not the same thing.
compared as (
    select
        'vintage' as kind,
        source,
        month,
        series,
        series as compared_with,
        key,
        vintage,
        value,
        first_value as compared_value,
        observed_on,
        first_observed_on as compared_on,
        first_seen,
        vintages_seen,
        is_current
    from moved
    union all
    select
        'series' as kind,
        one.source,
        one.month,
        one.series,
        other.series as compared_with,
        one.key,
        one.vintage,
        one.value,
        other.value as compared_value,
        one.observed_on,
        other.observed_on as compared_on,
        one.first_seen,
        one.vintages_seen,
        one.is_current
    from current_figures as one
    inner join current_figures as other
        on
            one.source = other.source
            and one.month = other.month
            and one.counted = other.counted
            and one.key = other.key
            and one.series > other.series
    union all
    -- What somebody else counted later, of the same month and tag; bounds are no counts.
    select
        'recount' as kind,
        current_figures.source,
        current_figures.month,
        current_figures.series,
        'recount by ' || recounts.origin as compared_with,
        current_figures.key,
        current_figures.vintage,
        recounts.questions as value,
        current_figures.value as compared_value,
        recounts.observed_on,
        current_figures.observed_on as compared_on,
        current_figures.first_seen,
        current_figures.vintages_seen,
        current_figures.is_current
    from current_figures
    inner join recounts
        on
            current_figures.source = 'stackoverflow'
            and current_figures.series = 'recorded'
            and current_figures.month = recounts.month
            and current_figures.key = recounts.tagged
),

final as (
    select
        kind,
        source,
        month,
        series,
        compared_with,
        key,
        vintage,
        value,
        compared_value,
        value - compared_value as change,
        value / nullif(compared_value, 0) - 1 as relative_change,
        observed_on,
        compared_on,
        first_seen,
        vintages_seen,
        is_current
    from compared
)

select * from final
