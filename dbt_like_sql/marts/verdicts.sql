with measurements as (
    select * from meta.measurements
),

claims as (
    select * from meta.claims
),

definitions as (
    select * from meta.definitions
),

months as (
    select max(month) as last_month from meta.months
),

outages as (
    select * from meta.outages
),

drift_rates as (
    select * from marts.drift_rates
    where framework is null
    qualify row_number() over (partition by source, series, known_from order by taken desc) = 1
),

measured as (
    select
        measurements.claim,
        concat_ws(', ', measurements.formula, measurements.series) as definition,
        definitions.formula,
        measurements.series,
        measurements.as_of,
        case when isfinite(measurements.value) then measurements.value end as value,
        definitions.rule,
        definitions.threshold,
        definitions.upper,
        coalesce(measurements.n, 0) as n,
        definitions.least_n,
        definitions.unit,
        coalesce(definitions.headline, false) as headline,
        definitions.form,
        measurements.source,
        measurements.since,
        measurements.exact_value,
        measurements.numerator,
        measurements.denominator,
        coalesce(measurements.months_lacking, 0) as months_lacking,
        coalesce(measurements.months_partial, 0) as months_partial,
        measurements.lacking,
        measurements.cannot_decide,
        measurements.note,
        (measurements.value is distinct from measurements.exact_value) as leans_on_estimate
    from measurements
    inner join claims on measurements.claim = claims.claim and claims.kind = 'measured'
    left join definitions on measurements.claim = definitions.claim and measurements.formula = definitions.formula
),

-- A definition that measured nothing is still one under which the claim was to be judged.
unmeasured as (
    select
        definitions.claim,
        definitions.formula as definition,
        definitions.formula,
        months.last_month as as_of,
        definitions.rule,
        definitions.threshold,
        definitions.upper,
        0 as n,
        definitions.least_n,
        definitions.unit,
        definitions.headline,
        definitions.form,
        0 as months_lacking,
        0 as months_partial,
        'no figures for: ' || definitions.meaning as cannot_decide,
        false as leans_on_estimate
    from definitions
    inner join claims on definitions.claim = claims.claim and claims.kind = 'measured'
    cross join months
    left join measured on definitions.claim = measured.claim and definitions.formula = measured.formula
    where measured.claim is null
),

read as (
    select * from measured
    union all by name
    select * from unmeasured
),

-- The calendar of outages, joined to every series that it concerns, in the months that the value looks at.
troubled as (
    select
        read.claim,
        read.definition,
        read.as_of,
        string_agg(distinct outages.effect, '; ' order by outages.effect) as trouble
    from read
    inner join outages
        on
            read.source = outages.source
            and starts_with(read.series, coalesce(outages.series, ''))
            and outages.first_day < read.as_of + interval 1 month
            and outages.last_day >= coalesce(read.since, read.as_of)
    group by read.claim, read.definition, read.as_of
),

-- What was known by then of how far the figures of the series move.
known as (
    select
        read.*,
        nullif(concat_ws(
            '; ',
            'months without a figure: ' || nullif(read.months_lacking, 0),
            'partial months: ' || nullif(read.months_partial, 0),
            'no figure of ' || read.lacking,
            'known trouble: ' || troubled.trouble
        ), '') as gaps,
        drift_rates.drift
    from read
    left join troubled
        on
            read.claim = troubled.claim
            and read.definition = troubled.definition
            and read.as_of = troubled.as_of
    asof left join drift_rates
        on
            read.source = drift_rates.source
            and read.series = drift_rates.series
            and read.as_of >= drift_rates.known_from
),

-- One side of the comparison moved by that much, and the other not: the worst that drift can do.
moved as (
    select
        *,
        case when form != 'other' and denominator is not null then 1 + drift end as factor,
        case form
            when 'ratio' then numerator * factor / nullif(denominator, 0)
            when 'change' then numerator * factor / nullif(denominator, 0) - 1
            when 'fall' then 1 - numerator * factor / nullif(denominator, 0)
            when 'difference' then numerator * factor - denominator
            when 'difference of changes' then (1 + numerator) * factor - 1 - denominator
        end as value_if_one_moves,
        case form
            when 'ratio' then numerator / nullif(denominator * factor, 0)
            when 'change' then numerator / nullif(denominator * factor, 0) - 1
            when 'fall' then 1 - numerator / nullif(denominator * factor, 0)
            when 'difference' then numerator - denominator * factor
            when 'difference of changes' then numerator - ((1 + denominator) * factor - 1)
        end as value_if_other_moves
    from known
),

-- Every rule is a band: from where to where, and whether the ends count.
bands as (
    select
        *,
        case
            when rule in ('at least', 'above', 'between') then threshold
            when rule in ('at most', 'below') then cast('-infinity' as double)
        end as low,
        case rule
            when 'between' then upper
            when 'at least' then cast('infinity' as double)
            when 'above' then cast('infinity' as double)
            when 'at most' then threshold
            when 'below' then threshold
        end as high,
        rule in ('above', 'below') as is_open
    from moved
),

compared as (
    select
        *,
        value between low and high and not (is_open and value = threshold) as is_met,
        exact_value between low and high and not (is_open and exact_value = threshold)
            as is_met_exact_value,
        value_if_one_moves between low and high and not (is_open and value_if_one_moves = threshold)
            as is_met_if_one_moves,
        value_if_other_moves between low and high and not (is_open and value_if_other_moves = threshold)
            as is_met_if_other_moves
    from bands
),

-- Numbers as a reader wants them: whole ones whole, large ones without decimals.
worded as (
    select
        *,
        case
            when abs(value) >= 1000 then format('{:,.0f}', value)
            when value is not null then format('{:.4f}', value)
        end as value_text,
        case
            when abs(exact_value) >= 1000 then format('{:,.0f}', exact_value)
            when exact_value is not null then format('{:.4f}', exact_value)
        end as without_text,
        case
            when abs(numerator) >= 1000 or numerator = round(numerator) then format('{:,.0f}', numerator)
            when numerator is not null then format('{:.4f}', numerator)
        end as numerator_text,
        case
            when abs(denominator) >= 1000 or denominator = round(denominator) then format('{:,.0f}', denominator)
            when denominator is not null then format('{:.4f}', denominator)
        end as denominator_text,
        concat(rule, ' ', format('{:g}', threshold), ' and ' || format('{:g}', upper), ' ' || unit) as rule_text
    from compared
),

obstacles as (
    select
        *,
        is_met != is_met_if_one_moves or is_met != is_met_if_other_moves as drift_flips,
        case
            when formula is null then 'the document of the claim does not define it'
            when cannot_decide is not null then cannot_decide
            when value is null then coalesce(note, 'nothing could be measured')
            when is_met is null then 'its rule or its threshold is not known'
            when n < least_n then 'n = ' || format('{:,}', n) || ', and it takes ' || format('{:,}', least_n)
            when leans_on_estimate and exact_value is null
                then 'it leans on an interpolated figure, and there is no value without it'
            when leans_on_estimate and is_met != is_met_exact_value
                then
                    'it leans on an interpolated figure, and without it the value is ' || without_text
                    || ', on the other side of ' || format('{:g}', threshold)
        end as obstacle
    from worded
),

judged as (
    select
        claim,
        definition,
        formula,
        series,
        as_of,
        value,
        threshold,
        upper,
        rule,
        unit,
        n,
        least_n,
        case
            when obstacle is not null then 'insufficient_data'
            when is_met then 'supported'
            else 'refuted'
        end as verdict,
        case
            when obstacle is not null and value_text is null then obstacle
            when obstacle is not null
                then
                    concat(
                        value_text, ' (' || numerator_text || ' / ' || denominator_text || ')',
                        ' decides nothing: ', obstacle
                    )
            else
                concat(
                    value_text, ' (' || numerator_text || ' / ' || denominator_text || ')',
                    case when is_met then ' is ' else ' is not ' end, rule_text, ', n = ', format('{:,}', n),
                    case when leans_on_estimate then '; without interpolated figures ' || without_text end,
                    '; ' || note,
                    '; leans on gaps: ' || gaps,
                    case
                        when drift_flips
                            then
                                '; drift alone could flip it: figures of this series moved by '
                                || format('{:+.1f}', 100 * drift) || ' percent when they were counted otherwise'
                    end
                )
        end as why,
        headline,
        since,
        gaps is not null as leans_on_gap,
        gaps,
        drift,
        case when obstacle is null then drift_flips end as drift_flips,
        source,
        exact_value,
        numerator,
        denominator,
        months_lacking,
        months_partial,
        lacking,
        cannot_decide,
        note
    from obstacles
),

not_measurable as (
    select
        claim,
        'not measurable' as definition,
        'not_measurable' as verdict,
        coalesce(reason, 'none of the sources can measure it') as why,
        true as headline,
        false as leans_on_gap
    from claims
    where kind = 'not_measurable'
),

final as (
    select * from judged
    union all by name
    select * from not_measurable
)

select
    claim,
    definition,
    formula,
    series,
    as_of,
    since,
    value,
    threshold,
    upper,
    rule,
    unit,
    n,
    least_n,
    verdict,
    why,
    headline,
    leans_on_gap,
    gaps,
    drift,
    drift_flips,
    source,
    exact_value,
    numerator,
    denominator,
    months_lacking,
    months_partial,
    lacking,
    cannot_decide,
    note
from final
