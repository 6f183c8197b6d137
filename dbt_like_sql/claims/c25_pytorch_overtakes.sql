with figures as (
    select * from marts.figures_by_basis
    where framework in ('pytorch', 'tensorflow') and measure in ('questions', 'downloads', 'family downloads')
),

pairs as (
    select
        basis,
        measure,
        source,
        series,
        month,
        max(figure) filter (where framework = 'pytorch') as pytorch,
        max(figure) filter (where framework = 'tensorflow') as tensorflow,
        bool_or(is_partial) as is_partial,
        min(gap_reason) as gap_reason
    from figures
    group by basis, measure, source, series, month
),

ratios as (
    select
        *,
        pytorch / nullif(tensorflow, 0) as ratio
    from pairs
),

ends as (
    select
        *,
        month as as_of,
        min(month) filter (where basis = 'published' and ratio is not null) over (partition by measure, series)
            as first_month
    from ratios
),

-- Without the month's own estimate, the last exact month stands in, if it is near.
monthly as (
    select
        ends.basis,
        ends.measure || ' in the month' as formula,
        ends.source,
        ends.series,
        ends.as_of,
        ends.as_of as from_month,
        arg_max(ratios.ratio, ratios.month) as result,
        arg_max(ratios.pytorch, ratios.month) as numerator,
        arg_max(ratios.tensorflow, ratios.month) as denominator,
        cast(count(ratios.ratio) as bigint) as months_found,
        if(count(ratios.ratio) = 0, 1, 0) as months_lacking,
        if(bool_or(ends.is_partial), 1, 0) as months_partial,
        max(ends.gap_reason) as remark
    from ends
    left join ratios
        on
            ends.basis = ratios.basis
            and ends.measure = ratios.measure
            and ends.series = ratios.series
            and ends.as_of >= ratios.month
            and ratios.month >= ends.as_of - to_months(if(ends.basis = 'exact', 3, 0))
    where ends.as_of >= ends.first_month
    group by ends.basis, ends.measure, ends.source, ends.series, ends.as_of
),

-- The order lasts when the worst of six months keeps it.
lasting as (
    select
        ends.basis,
        ends.measure || ' in each of 6 months' as formula,
        ends.source,
        ends.series,
        ends.as_of,
        cast(ends.as_of - interval 5 months as date) as from_month,
        if(count(ratios.ratio) >= 4, min(ratios.ratio), null) as result,
        arg_min(ratios.pytorch, struct_pack(ratio := ratios.ratio, month := ratios.month)) as numerator,
        arg_min(ratios.tensorflow, struct_pack(ratio := ratios.ratio, month := ratios.month)) as denominator,
        count(ratios.ratio) as months_found,
        6 - count(ratios.ratio) as months_lacking,
        count(*) filter (where ratios.is_partial) as months_partial,
        'lowest in '
        || strftime(arg_min(ratios.month, struct_pack(ratio := ratios.ratio, month := ratios.month)), '%Y-%m')
            as remark
    from ends
    left join ratios
        on
            ends.basis = ratios.basis
            and ends.measure = ratios.measure
            and ends.series = ratios.series
            and ratios.month between ends.as_of - interval 5 months and ends.as_of
    where ends.as_of >= ends.first_month + interval 5 months
    group by ends.basis, ends.measure, ends.source, ends.series, ends.as_of
),

forms as (
    select * from monthly
    union all
    select * from lasting
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        any_value(from_month) as since,
        max(result) filter (where basis = 'published') as value,
        max(result) filter (where basis = 'exact') as exact_value,
        max(months_found) filter (where basis = 'published') as n,
        max(numerator) filter (where basis = 'published') as numerator,
        max(denominator) filter (where basis = 'published') as denominator,
        case
            when max(result) filter (where basis = 'published') is null
                then coalesce(max(remark) filter (where basis = 'published'), 'one of the two has no figure')
        end as cannot_decide,
        max(months_lacking) filter (where basis = 'published') as months_lacking,
        max(months_partial) as months_partial,
        max(remark) filter (where basis = 'published') as note
    from forms
    group by formula, source, series, as_of
)

select * from measured
