with metrics as (
    select * from marts.framework_metrics
),

outages as (
    select * from meta.outages
),

-- Student's t, two-sided 95 %, by degrees of freedom.
students_t as (
    select
        quantiles.degrees,
        quantiles.quantile
    from (
        values (5, 2.570581836), (6, 2.446911851), (7, 2.364624252), (8, 2.306004135),
        (9, 2.262157163), (10, 2.228138852), (11, 2.200985160)
    ) as quantiles (degrees, quantile)
),

series_months as (
    select distinct
        source,
        series,
        month
    from metrics
),

distortions as (
    select
        metrics.source,
        metrics.series,
        metrics.month,
        arg_min(outages.effect || ' (' || outages.reference || ')', outages.last_day - outages.first_day) as effect
    from series_months as metrics
    inner join outages
        on
            metrics.source = outages.source
            and starts_with(metrics.series, coalesce(outages.series, ''))
            and metrics.month <= outages.last_day
            and outages.first_day < metrics.month + interval 1 month
    where outages.kind = 'distorted'
    group by metrics.source, metrics.series, metrics.month
),

measures as (
    select
        *,
        'value' as measure,
        value as figure,
        is_estimated as is_interpolated
    from metrics
    union all by name
    select
        *,
        'share' as measure,
        share as figure,
        is_share_estimated as is_interpolated
    from metrics
),

-- Days that a window leaves out do not change downloads per day; what any other partial figure leaves out does.
figures as (
    select
        measures.source,
        measures.metric,
        measures.definition,
        measures.series,
        measures.framework,
        measures.measure,
        measures.month,
        measures.figure,
        measures.known_from,
        case
            when measures.figure is null then 'no figure'
            when measures.is_interpolated then 'interpolated'
            when measures.is_partial and measures.metric != 'downloads_per_day' then 'partial'
            when distortions.effect is not null then distortions.effect
            when measures.figure = 0 then 'none counted'
        end as unfit
    from measures
    left join distortions
        on
            measures.source = distortions.source
            and measures.series = distortions.series
            and measures.month = distortions.month
),

breaks as (
    select
        metrics.source,
        metrics.series,
        metrics.month,
        any_value(outages.effect || ' (' || outages.reference || ')') as effect
    from series_months as metrics
    inner join outages
        on
            metrics.source = outages.source
            and starts_with(metrics.series, coalesce(outages.series, ''))
            and metrics.month >= date_trunc('month', outages.first_day)
            and metrics.month - interval 12 months < date_trunc('month', outages.first_day)
    where outages.kind = 'break'
    group by metrics.source, metrics.series, metrics.month
),

-- A month and the same month of the year before: no season is in what they differ by.
pairs as (
    select
        later.source,
        later.definition,
        later.framework,
        later.measure,
        later.month,
        greatest(later.known_from, earlier.known_from) as known_from,
        case
            when later.unfit is null and earlier.unfit is null and breaks.effect is null
                then ln(later.figure / earlier.figure)
        end as change,
        coalesce(breaks.effect, later.unfit, earlier.unfit) as unfit
    from figures as later
    inner join figures as earlier
        on
            later.source = earlier.source
            and later.metric = earlier.metric
            and later.definition = earlier.definition
            and later.framework = earlier.framework
            and later.measure = earlier.measure
            and later.month = earlier.month + interval 12 months
    left join breaks
        on
            later.source = breaks.source
            and later.series = breaks.series
            and later.month = breaks.month
),

-- Every month with the pairs of the twelve months that end in it.
windows as (
    select
        figures.*,
        pairs.month as pair_month,
        pairs.change,
        pairs.unfit as unfit_pair,
        case when pairs.change is not null then pairs.known_from end as pair_known_from
    from figures
    left join pairs
        on
            figures.source = pairs.source
            and figures.definition = pairs.definition
            and figures.framework = pairs.framework
            and figures.measure = pairs.measure
            and pairs.month between figures.month - interval 11 months and figures.month
),

years as (
    select
        source,
        metric,
        definition,
        series,
        framework,
        measure,
        month,
        count(pair_month) as months_compared,
        count(change) as pairs,
        avg(change) as mean,
        stddev_samp(change) as deviation,
        greatest(month, any_value(known_from), max(pair_known_from)) as known_from
    from windows
    group by source, metric, definition, series, framework, measure, month
),

causes as (
    select
        source,
        definition,
        framework,
        measure,
        month,
        unfit_pair as unfit,
        count(*) as pairs
    from windows
    where unfit_pair is not null
    group by source, definition, framework, measure, month, unfit_pair
),

left_out as (
    select
        source,
        definition,
        framework,
        measure,
        month,
        string_agg(pairs || ' for: ' || unfit, '; ' order by pairs desc, unfit asc) as words
    from causes
    group by source, definition, framework, measure, month
),

final as (
    select
        years.month,
        years.source,
        years.metric,
        years.definition,
        years.framework,
        years.measure,
        years.series,
        exp(years.mean) - 1 as change,
        exp(years.mean - students_t.quantile * years.deviation / sqrt(years.pairs)) - 1 as change_low,
        exp(years.mean + students_t.quantile * years.deviation / sqrt(years.pairs)) - 1 as change_high,
        years.pairs,
        left_out.words as left_out,
        case
            when years.pairs >= 6 then null
            when years.months_compared < 12
                then years.pairs || ' of 12 pairs of months can be compared, 6 are needed: the series is too young'
            else years.pairs || ' of 12 pairs of months can be compared, 6 are needed'
        end as reason,
        years.known_from
    from years
    left join students_t on years.pairs - 1 = students_t.degrees
    left join left_out
        on
            years.source = left_out.source
            and years.definition = left_out.definition
            and years.framework = left_out.framework
            and years.measure = left_out.measure
            and years.month = left_out.month
)

select
    month,
    source,
    metric,
    definition,
    framework,
    measure,
    series,
    case when reason is null then round(change, 9) end as change,
    case when reason is null then round(change_low, 9) end as change_low,
    case when reason is null then round(change_high, 9) end as change_high,
    case
        when reason is not null then null
        when change_low > 0 then 'rises'
        when change_high < 0 then 'falls'
        else 'unclear'
    end as direction,
    pairs,
    left_out,
    reason,
    known_from
from final
