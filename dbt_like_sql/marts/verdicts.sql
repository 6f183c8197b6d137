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

rates as (
    select * from marts.drift_rates
),

-- Nothing is judged as of the month that is still open.
measured as (
    select
        measurements.*,
        concat_ws(', ', measurements.formula, measurements.series) as definition
    from measurements
    cross join months
    where measurements.as_of <= months.last_month
),

-- A definition that measured nothing is still one under which the claim was to be judged.
unmeasured as (
    select
        definitions.claim,
        definitions.formula,
        months.last_month as as_of,
        definitions.formula as definition,
        'no figures for: ' || definitions.meaning as cannot_decide
    from definitions
    cross join months
    left join measured on definitions.claim = measured.claim and definitions.formula = measured.formula
    where measured.claim is null
),

every_measurement as (
    select * from measured
    union all by name
    select * from unmeasured
),

defined as (
    select
        every.claim,
        every.definition,
        definitions.formula,
        every.source,
        every.series,
        every.as_of,
        every.since,
        case when isfinite(every.value) then every.value end as value,
        if(every.side = 'at most', cast('-infinity' as double), coalesce(every.low, every.value)) as low,
        if(every.side = 'at least', cast('infinity' as double), coalesce(every.high, every.value)) as high,
        every.exact_value,
        coalesce(every.n, 0) as n,
        every.numerator,
        every.denominator,
        coalesce(every.months_lacking, 0) as months_lacking,
        coalesce(every.months_partial, 0) as months_partial,
        every.lacking,
        every.cannot_decide,
        every.note,
        (every.value is distinct from every.exact_value) as leans_on_estimate,
        definitions.rule,
        definitions.threshold,
        definitions.upper,
        definitions.least_n,
        definitions.unit,
        coalesce(definitions.headline, false) as headline,
        definitions.form,
        definitions.says,
        coalesce(definitions.over_time, false) as over_time,
        definitions.due
    from every_measurement as every
    inner join claims on every.claim = claims.claim and claims.kind = 'measured'
    left join definitions on every.claim = definitions.claim and every.formula = definitions.formula
),

-- The calendar of outages, joined to every series that it concerns, in the months that the value looks at.
troubled as (
    select
        defined.claim,
        defined.definition,
        defined.as_of,
        string_agg(distinct outages.effect, '; ' order by outages.effect) filter (
            where
            outages.first_day < defined.as_of + interval 1 month
            and outages.last_day >= coalesce(defined.since, defined.as_of)
        ) as trouble,
        -- A break after the first of these months leaves figures of two kinds, which are no longer compared.
        string_agg(
            distinct strftime(outages.first_day, '%Y-%m'), ', ' order by strftime(outages.first_day, '%Y-%m')
        ) filter (
            where
            outages.kind = 'break'
            and outages.first_day >= defined.since + interval 1 month
            and outages.first_day < defined.as_of + interval 1 month
        ) as breaks,
        string_agg(distinct coalesce(outages.bias, 'unknown'), ', ' order by coalesce(outages.bias, 'unknown')) filter (
            where
            outages.kind = 'break'
            and outages.first_day >= defined.since + interval 1 month
            and outages.first_day < defined.as_of + interval 1 month
        ) as bias
    from defined
    inner join outages
        on
            defined.source = outages.source
            and starts_with(defined.series, coalesce(outages.series, ''))
            and outages.first_day < defined.as_of + interval 1 month
    group by defined.claim, defined.definition, defined.as_of
),

-- Across a break whose bias is known, a comparison over time is a bound in one direction.
bounded as (
    select
        defined.* exclude (low, high),
        troubled.trouble,
        troubled.breaks,
        troubled.bias,
        case
            when troubled.breaks is null then null
            when not defined.over_time or troubled.bias not in ('later is higher', 'later is lower') then 'no bound'
            when (troubled.bias = 'later is higher') != (defined.form = 'fall') then 'at most'
            else 'at least'
        end as side,
        if(side = 'at most', cast('-infinity' as double), defined.low) as low,
        if(side = 'at least', cast('infinity' as double), defined.high) as high,
        if(defined.low = defined.value and side is distinct from 'at most', defined.exact_value, low) as exact_low,
        if(defined.high = defined.value and side is distinct from 'at least', defined.exact_value, high) as exact_high
    from defined
    left join troubled
        on
            defined.claim = troubled.claim
            and defined.definition = troubled.definition
            and defined.as_of = troubled.as_of
),

-- What was known by then, from month to month, of how far the figures of a series move: by how much one framework's
-- against another's, where that is known of two, and otherwise by how much all of them.
rate_months as (
    select distinct
        source,
        series,
        known_from
    from rates
),

latest_rates as (
    select
        months_of_rates.source,
        months_of_rates.series,
        months_of_rates.known_from,
        rates.framework,
        rates.taken,
        arg_max(rates.drift, rates.known_from) as drift
    from rate_months as months_of_rates
    inner join rates
        on
            months_of_rates.source = rates.source
            and months_of_rates.series = rates.series
            and months_of_rates.known_from >= rates.known_from
    group by months_of_rates.source, months_of_rates.series, months_of_rates.known_from, rates.framework, rates.taken
),

drifts as (
    select
        source,
        series,
        known_from,
        round(
            case
                when count(distinct framework) > 1
                    then
                        (1 + min(drift) filter (where framework is not null))
                        / (1 + max(drift) filter (where framework is not null)) - 1
                else coalesce(arg_max(drift, abs(drift)) filter (where framework is null), any_value(drift))
            end, 9
        ) as drift
    from latest_rates
    group by source, series, known_from
),

known as (
    select
        bounded.*,
        nullif(concat_ws(
            '; ',
            'months without a figure: ' || nullif(bounded.months_lacking, 0),
            'partial months: ' || nullif(bounded.months_partial, 0),
            'no figure of ' || bounded.lacking,
            'known trouble: ' || bounded.trouble
        ), '') as gaps,
        drifts.drift
    from bounded
    asof left join drifts
        on
            bounded.source = drifts.source
            and bounded.series = drifts.series
            and bounded.as_of >= drifts.known_from
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
        end as least,
        case rule
            when 'between' then upper
            when 'at least' then cast('infinity' as double)
            when 'above' then cast('infinity' as double)
            when 'at most' then threshold
            when 'below' then threshold
        end as most,
        rule in ('above', 'below') as is_open
    from moved
),

-- An interval is in the band if both its ends are, and out of it if it lies wholly below or wholly above.
compared as (
    select
        *,
        case
            when
                not (low > least or (low = least and rule != 'above'))
                or not (high < most or (high = most and rule != 'below'))
                then
                    if(
                        high < least or low > most or (rule = 'above' and high = threshold)
                        or (rule = 'below' and low = threshold), false, null
                    )
            when value is not null then true
        end as is_met,
        case
            when
                not (exact_low > least or (exact_low = least and rule != 'above'))
                or not (exact_high < most or (exact_high = most and rule != 'below'))
                then
                    if(
                        exact_high < least
                        or exact_low > most
                        or (rule = 'above' and exact_high = threshold)
                        or (rule = 'below' and exact_low = threshold), false, null
                    )
            when exact_value is not null then true
        end as is_met_exactly,
        value between least and most and not (is_open and value = threshold) as is_met_by_value,
        value_if_one_moves between least and most and not (is_open and value_if_one_moves = threshold)
            as is_met_if_one_moves,
        value_if_other_moves between least and most and not (is_open and value_if_other_moves = threshold)
            as is_met_if_other_moves
    from bands
),

-- Numbers as a reader wants them: whole ones whole, large ones without decimals, shares in percent.
worded as (
    select
        *,
        [
            case
                when abs(x) >= 1000 or (x = round(x) and isfinite(x)) then format('{:,.0f}', x)
                else format('{:.4f}', x)
            end
            for x in [value, exact_value, numerator, denominator, low, high]
        ] as plain,
        [
            case
                when unit = 'year'
                    then
                        strftime(
                            make_date(cast(floor(x) as integer), 1, 1)
                            + to_days(cast(round((x - floor(x)) * 365.25) as integer)), '%-d %B %Y'
                        )
                when form = 'change' then if(x < 0, 'a fall of ', 'a rise of ')
                when unit like 'share%' and form like 'difference%' then format('{:.1f} points', 100 * x)
                when unit like 'share%' then format('{:.1f} percent', 100 * x)
                when unit = 'languages' or abs(x) >= 100 then format('{:,.0f}', x)
                when x = 0 or abs(x) >= 0.1 then format('{:.2f}', x)
                else format('{:.2g}', x)
            end
            for x in [value, low, high]
        ] as words,
        case
            when low = value and high = value then ''
            when low = value and (not isfinite(high) or (unit like 'share%' and high = 1)) then 'at least '
            when high = value and (not isfinite(low) or low = 0) then 'at most '
            else 'between '
        end as bound_word,
        concat(rule, ' ', format('{:g}', threshold), ' and ' || format('{:g}', upper), ' ' || unit) as rule_text,
        if(
            form = 'change' and unit like 'share%' and upper is null,
            -- a change has a direction: below nothing it is a fall, whose size counts the other way
            concat(
                if(threshold < 0, 'a fall of ', 'a rise of '),
                case
                    when rule = 'above' then if(threshold < 0, 'less than', 'more than')
                    when rule = 'below' then if(threshold < 0, 'more than', 'less than')
                    when (rule = 'at least') = (threshold >= 0) then 'at least'
                    else 'at most'
                end,
                ' ' || format('{:g}', round(100 * abs(threshold), 2)) || ' percent',
                case
                    when rule in ('above', 'at least') and threshold < 0 then ', or a rise'
                    when rule in ('below', 'at most') and threshold >= 0 then ', or a fall'
                end
            ),
            concat(
                case rule when 'above' then 'more than' when 'below' then 'less than' else rule end, ' ',
                if(unit like 'share%', format('{:g}', round(100 * threshold, 2)), format('{:g}', threshold)),
                ' and ' || if(unit like 'share%', format('{:g}', round(100 * upper, 2)), format('{:g}', upper)),
                case when unit like 'share%' then if(form like 'difference%', ' points', ' percent') end
            )
        ) as takes
    from compared
),

obstacles as (
    select
        *,
        is_met_by_value != is_met_if_one_moves or is_met_by_value != is_met_if_other_moves as could_flip,
        case
            when formula is null then 'the document of the claim does not define it'
            when cannot_decide is not null then cannot_decide
            when value is null then coalesce(note, 'nothing could be measured')
            when least is null then 'its rule or its threshold is not known'
            when side = 'no bound' then 'it looks at months on both sides of a break of the series (' || breaks || ')'
            when n < least_n then 'n = ' || format('{:,}', n) || ', and it takes ' || format('{:,}', least_n)
            when is_met is null
                then
                    if(bound_word = 'between ', 'the threshold lies inside', 'more than that is not known')
                    || ' (needed: ' || takes || ')'
            when leans_on_estimate and exact_value is null
                then 'it leans on an interpolated figure, and there is no value without it'
            when leans_on_estimate and (is_met is distinct from is_met_exactly)
                then
                    'it leans on an interpolated figure, and without it the value is ' || plain[2]
                    || ', on the other side of ' || format('{:g}', threshold)
        end as obstacle
    from worded
),

-- What looks ahead cannot have come true before the article appeared, nor have failed before it is due.
judged as (
    select
        *,
        case
            when due is not null and value is not null and as_of <= date '2023-01-01' then 'not_yet'
            when obstacle is not null then 'insufficient_data'
            when due is not null and is_met then 'came_true'
            when due is not null and as_of < due then 'not_yet'
            when is_met then 'supported'
            else 'refuted'
        end as verdict,
        case
            when obstacle is not null and plain[1] is null then obstacle
            when obstacle is not null
                then
                    concat(
                        plain[1], ' (' || plain[3] || ' / ' || plain[4] || ')', ' decides nothing: ', obstacle
                    )
            else
                concat(
                    if(bound_word = 'between ', 'about ', bound_word),
                    plain[1],
                    ' (' || plain[3] || ' / ' || plain[4] || ')',
                    case when is_met then ' is ' else ' is not ' end, rule_text, ', n = ', format('{:,}', n),
                    case when leans_on_estimate then '; without interpolated figures ' || plain[2] end,
                    '; a bound, as the series breaks in ' || breaks || ': later figures are counted too '
                    || if(bias = 'later is higher', 'high', 'low'),
                    '; ' || note,
                    '; leans on gaps: ' || gaps,
                    case
                        when could_flip
                            then
                                '; drift alone could flip it: figures of this series moved by '
                                || format('{:+.1f}', 100 * drift) || ' percent when they were counted otherwise'
                    end
                )
        end as why,
        replace(
            says, '{value}',
            case
                -- A change is a fall or a rise, and a bound of it is one in its own direction.
                when form = 'change'
                    then
                        concat(
                            words[1], case
                                when side is null then ''
                                when (side = 'at most') = (value < 0) then 'at least '
                                else 'at most '
                            end, format('{:.1f} percent', 100 * abs(value))
                        )
                when bound_word = 'between ' then 'between ' || words[2] || ' and ' || words[3]
                else bound_word || words[1]
            end
        ) as sentence,
        gaps is not null as leans_on_gap,
        case when obstacle is null then could_flip end as drift_flips
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
    case when isfinite(low) then low end as low,
    case when isfinite(high) then high end as high,
    threshold,
    upper,
    rule,
    unit,
    n,
    least_n,
    verdict,
    why,
    sentence,
    takes,
    obstacle,
    headline,
    due,
    leans_on_gap,
    gaps,
    breaks,
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
