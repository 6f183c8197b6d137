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
        measures.segment,
        measures.is_headline and measures.measure = 'value' as is_headline,
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

-- A month and the same month of the year before: no season is in what they differ by.
twice as (
    select
        later.source,
        later.definition,
        later.framework,
        later.measure,
        later.month,
        greatest(later.known_from, earlier.known_from) as known_from,
        later.figure,
        earlier.figure as figure_before,
        case
            when later.segment != earlier.segment
                then 'a break of the series between the two months (meta.outages)'
            else coalesce(later.unfit, earlier.unfit)
        end as unfit
    from figures as later
    inner join figures as earlier
        on
            later.source = earlier.source
            and later.metric = earlier.metric
            and later.definition = earlier.definition
            and later.framework = earlier.framework
            and later.measure = earlier.measure
            and later.month = earlier.month + interval 12 months
),

pairs as (
    select
        *,
        case when unfit is null then ln(figure / figure_before) end as change
    from twice
),

-- Every month with the pairs of the twelve months that end in it.
windows as (
    select
        figures.*,
        pairs.month as pair_month,
        pairs.change,
        pairs.change - avg(pairs.change) over (
            partition by
                figures.source, figures.metric, figures.definition, figures.framework, figures.measure, figures.month
        ) as deviation,
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

products as (
    select
        *,
        case
            when
                lag(pair_month) over in_turn = pair_month - interval 1 month
                then deviation * lag(deviation) over in_turn
        end as with_month_before
    from windows
    window
        in_turn as (partition by source, metric, definition, framework, measure, month order by pair_month)
),

years as (
    select
        source,
        metric,
        definition,
        series,
        any_value(is_headline) as is_headline,
        framework,
        measure,
        month,
        count(pair_month) as months_compared,
        count(change) as pairs,
        avg(change) as mean,
        stddev_samp(change) as scatter,
        case when count(change) >= 6 then sum(with_month_before) end as carried_over,
        case when count(change) >= 6 then sum(pow(deviation, 2)) end as squares,
        greatest(month, any_value(known_from), max(pair_known_from)) as known_from
    from products
    group by source, metric, definition, series, framework, measure, month
),

-- One year says too little of how much neighbours resemble one another: all years up to it are pooled. The mean of so
-- few pairs is taken from their own, which makes it too small by (1 + 4r) / n (Marriott and Pope); below 0, or above
-- 0.9, where an interval has no end, it is not believed.
autocorrelations as (
    select
        *,
        sum(carried_over) over upto / nullif(sum(squares) over upto, 0) as pooled,
        least(greatest(pooled + (1 + 4 * pooled) / pairs, 0), 0.9) as autocorrelation,
        max(known_from) over upto as all_known_from
    from years
    window upto as (partition by source, metric, definition, framework, measure order by month)
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

-- The variance of the mean of an AR(1) over that of as many independent months; their scatter, which is too small as
-- well, is put right with it.
inflated as (
    select
        *,
        1 + 2 * autocorrelation / (1 - autocorrelation)
        - 2 * autocorrelation * (1 - pow(autocorrelation, pairs)) / (pairs * pow(1 - autocorrelation, 2)) as inflation
    from autocorrelations
),

judged as (
    select
        years.month,
        years.source,
        years.metric,
        years.definition,
        years.framework,
        years.measure,
        years.series,
        years.is_headline,
        years.mean,
        years.pairs,
        years.autocorrelation,
        students_t.quantile * years.scatter
        * sqrt(years.inflation * (years.pairs - 1) / (years.pairs * (years.pairs - years.inflation))) as half_width,
        left_out.words as left_out,
        case
            when years.pairs >= 6 then null
            when years.months_compared < 12
                then years.pairs || ' of 12 pairs of months can be compared, 6 are needed: the series is too young'
            else years.pairs || ' of 12 pairs of months can be compared, 6 are needed'
        end as reason,
        case when years.pairs >= 6 then years.all_known_from else years.known_from end as known_from
    from inflated as years
    left join students_t on years.pairs - 1 = students_t.degrees
    left join left_out
        on
            years.source = left_out.source
            and years.definition = left_out.definition
            and years.framework = left_out.framework
            and years.measure = left_out.measure
            and years.month = left_out.month
),

final as (
    select
        *,
        case when reason is null then round(exp(mean) - 1, 9) end as change,
        case when reason is null then round(exp(mean - half_width) - 1, 9) end as change_low,
        case when reason is null then round(exp(mean + half_width) - 1, 9) end as change_high
    from judged
)

select
    month,
    source,
    metric,
    definition,
    framework,
    measure,
    series,
    is_headline,
    change,
    change_low,
    change_high,
    case
        when change_low > 0 then 'rises'
        when change_high < 0 then 'falls'
        when change is not null then 'unclear'
    end as direction,
    pairs,
    case when reason is null then round(autocorrelation, 9) end as autocorrelation,
    left_out,
    reason,
    known_from
from final
