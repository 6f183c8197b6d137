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

-- A definition is a formula in a series. Where one formula begins like another, the longer one is meant.
measured as (
    select
        measurements.claim,
        measurements.definition,
        definitions.formula,
        nullif(substr(measurements.definition, length(definitions.formula) + 3), '') as series,
        measurements.as_of,
        case when isfinite(measurements.value) then measurements.value end as value,
        definitions.rule,
        definitions.threshold,
        definitions.upper,
        coalesce(measurements.n, 0) as n,
        definitions.least_n,
        definitions.unit,
        coalesce(definitions.headline, false) as headline,
        measurements.detail
    from measurements
    inner join claims on measurements.claim = claims.claim and claims.kind = 'measured'
    left join definitions
        on
            measurements.claim = definitions.claim
            and (
                measurements.definition = definitions.formula
                or starts_with(measurements.definition, definitions.formula || ', ')
            )
    qualify
        row_number() over (
            partition by measurements.claim, measurements.definition, measurements.as_of
            order by length(definitions.formula) desc
        ) = 1
),

-- A definition that measured nothing is still one under which the claim was to be judged.
unmeasured as (
    select
        definitions.claim,
        definitions.formula as definition,
        definitions.formula,
        null as series,
        months.last_month as as_of,
        null as value,
        definitions.rule,
        definitions.threshold,
        definitions.upper,
        0 as n,
        definitions.least_n,
        definitions.unit,
        definitions.headline,
        null as detail
    from definitions
    inner join claims on definitions.claim = claims.claim and claims.kind = 'measured'
    cross join months
    left join measured on definitions.claim = measured.claim and definitions.formula = measured.formula
    where measured.claim is null
),

all_measured as (
    select * from measured
    union all by name
    select * from unmeasured
),

read as (
    select
        *,
        try_cast(json_extract_string(detail, '$.numerator') as double) as numerator,
        try_cast(json_extract_string(detail, '$.denominator') as double) as denominator,
        json_extract_string(detail, '$.note') as note,
        json_extract_string(detail, '$.cannot_decide') as cannot_decide,
        coalesce(list_contains(json_keys(detail), 'without_estimates'), false) as leans_on_estimate,
        try_cast(json_extract_string(detail, '$.without_estimates') as double) as without_estimates
    from all_measured
),

compared as (
    select
        *,
        case rule
            when 'at least' then value >= threshold
            when 'at most' then value <= threshold
            when 'above' then value > threshold
            when 'below' then value < threshold
            when 'between' then value between threshold and upper
        end as is_met,
        case rule
            when 'at least' then without_estimates >= threshold
            when 'at most' then without_estimates <= threshold
            when 'above' then without_estimates > threshold
            when 'below' then without_estimates < threshold
            when 'between' then without_estimates between threshold and upper
        end as is_met_without_estimates
    from read
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
            when abs(without_estimates) >= 1000 then format('{:,.0f}', without_estimates)
            when without_estimates is not null then format('{:.4f}', without_estimates)
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
        case
            when formula is null then 'the document of the claim does not define it'
            when cannot_decide is not null then cannot_decide
            when value is null then coalesce(note, 'nothing could be measured')
            when is_met is null then 'its rule or its threshold is not known'
            when n < least_n then 'n = ' || format('{:,}', n) || ', and it takes ' || format('{:,}', least_n)
            when leans_on_estimate and without_estimates is null
                then 'it leans on an interpolated figure, and there is no value without it'
            when leans_on_estimate and is_met != is_met_without_estimates
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
                    '; ' || note
                )
        end as why,
        headline,
        detail
    from obstacles
),

not_measurable as (
    select
        claim,
        'not measurable' as definition,
        'not_measurable' as verdict,
        coalesce(reason, 'none of the sources can measure it') as why,
        true as headline
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
    detail
from final
