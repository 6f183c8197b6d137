with questions as (
    select * from staging.stackoverflow
    where tagged in ('tensorflow;javascript', 'tensorflow.js', 'tensorflow;java', 'tensorflow;c++')
),

definitions as (
    select * from meta.definitions
    where claim = 'C22'
),

closed_months as (
    select * from meta.months
),

-- Interpolated questions are left out: counts this small are worth no estimate.
exact as (
    select
        series,
        tagged,
        month,
        case when not coalesce(is_estimated, false) then questions end as questions,
        gap_reason
    from questions
),

years as (
    select
        *,
        sum(questions) over last_year as asked,
        count(questions) over last_year as months_found,
        min(month) over (partition by series, tagged) as first_month
    from exact
    window
        last_year as (
            partition by series, tagged
            order by month range between interval 11 months preceding and current row
        )
),

measured as (
    select
        'questions on ' || replace(tagged, ';', ' and ') as formula,
        'stackoverflow' as source,
        series,
        month as as_of,
        cast(month - interval 11 months as date) as from_month,
        case when months_found >= 8 then asked / months_found end as value,
        cast(coalesce(asked, 0) as bigint) as n,
        asked as numerator,
        months_found as denominator,
        case
            when months_found < 8 then coalesce(gap_reason, 'fewer than 8 of the last 12 months have a figure')
        end as cannot_decide,
        12 - months_found as months_lacking,
        0 as months_partial,
        null as remark
    from years
    where month >= first_month + interval 11 months
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
            'note', remark, 'cannot_decide', cannot_decide
        ) as varchar) as detail
    from measured
    union all
    select * from unmeasured
)

select * from final
