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
        measurements.value,
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

read as (
    select
        *,
        json_extract_string(detail, '$.numerator') as numerator,
        json_extract_string(detail, '$.denominator') as denominator,
        json_extract_string(detail, '$.note') as note,
        json_extract_string(detail, '$.cannot_decide') as cannot_decide,
        coalesce(list_contains(json_keys(detail), 'without_estimates'), false) as leans_on_estimate,
        try_cast(json_extract_string(detail, '$.without_estimates') as double) as without_estimates
    from (
        select * from measured
        union all by name
        select * from unmeasured
    )
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
        rule || ' ' || threshold || coalesce(' and ' || upper, '') || coalesce(' ' || unit, '') as rule_text,
        coalesce(' (' || numerator || ' / ' || denominator || ')', '') as parts_text
    from compared
),

obstacles as (
    select
        *,
        case
            when formula is null then 'the document of the claim does not define it'
            when cannot_decide is not null then cannot_decide
            when value is null or not isfinite(value) then coalesce(note, 'nothing could be measured')
            when n < least_n then 'n = ' || n || ', and fewer than ' || least_n || ' decide nothing'
            when leans_on_estimate and without_estimates is null
                then 'it leans on an interpolated figure, and there is no value without it'
            when leans_on_estimate and is_met is distinct from is_met_without_estimates
                then
                    'it leans on an interpolated figure, and without it the value is ' || without_text
                    || ', on the other side of ' || threshold
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
            when obstacle is not null then value_text || parts_text || ' decides nothing: ' || obstacle
            else
                concat(
                    value_text, parts_text, case when is_met then ' is ' else ' is not ' end, rule_text, ', n = ', n,
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
