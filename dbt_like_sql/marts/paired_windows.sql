with figures as (
    select * from marts.figures_by_basis
    where framework in ('pytorch', 'tensorflow')
),

lengths as (
    select unnest([1, 3, 6, 12]) as months
),

months_of_both as (
    select
        basis,
        measure,
        source,
        series,
        month,
        max(figure) filter (where framework = 'pytorch') as pytorch,
        max(figure) filter (where framework = 'tensorflow') as tensorflow,
        pytorch / nullif(tensorflow, 0) as ratio,
        bool_or(is_partial) as is_partial,
        min(gap_reason) as gap_reason
    from figures
    group by basis, measure, source, series, month
),

-- A month counts for both or for none: otherwise a gap of one would move the ratio.
pairs as (
    select * from months_of_both
    where pytorch is not null and tensorflow is not null
),

-- Without the month's own estimate, the last exact month stands in, if it is near: that window reaches back further.
ends as (
    select
        months_of_both.*,
        lengths.months,
        cast(months_of_both.month - to_months(lengths.months - 1) as date) as since,
        if(months_of_both.basis = 'exact' and lengths.months = 1, 4, lengths.months) as months_back,
        min(months_of_both.month) filter (
            where months_of_both.pytorch is not null and months_of_both.tensorflow is not null
        ) over (partition by months_of_both.measure, months_of_both.series) as first_month
    from months_of_both
    cross join lengths
),

counted as (
    select
        ends.basis,
        ends.measure,
        ends.source,
        ends.series,
        ends.months,
        ends.month as as_of,
        ends.since,
        any_value(ends.first_month) as first_month,
        count(pairs.month) as found,
        if(ends.months = 1, arg_max(pairs.pytorch, pairs.month), sum(pairs.pytorch order by pairs.month))
            as pytorch,
        if(ends.months = 1, arg_max(pairs.tensorflow, pairs.month), sum(pairs.tensorflow order by pairs.month))
            as tensorflow,
        arg_min(pairs.month, struct_pack(ratio := pairs.ratio, month := pairs.month)) as lowest_month
    from ends
    left join pairs
        on
            ends.basis = pairs.basis
            and ends.measure = pairs.measure
            and ends.series = pairs.series
            and pairs.month > ends.month - to_months(ends.months_back)
            and ends.month >= pairs.month
    group by ends.basis, ends.measure, ends.source, ends.series, ends.months, ends.month, ends.since
),

told as (
    select
        ends.basis,
        ends.measure,
        ends.series,
        ends.months,
        ends.month as as_of,
        count(*) filter (where months_of_both.is_partial) as months_partial,
        min(months_of_both.gap_reason) as gap_reason
    from ends
    inner join months_of_both
        on
            ends.basis = months_of_both.basis
            and ends.measure = months_of_both.measure
            and ends.series = months_of_both.series
            and months_of_both.month between ends.since and ends.month
    group by ends.basis, ends.measure, ends.series, ends.months, ends.month
),

-- A window needs two thirds of its months; a year of venues is whatever met.
final as (
    select
        counted.basis,
        counted.measure,
        counted.source,
        counted.series,
        counted.months,
        counted.as_of,
        counted.since,
        counted.first_month,
        counted.found * 3 >= counted.months * 2 or (counted.source = 'papers' and counted.found > 0) as is_enough,
        counted.pytorch,
        counted.tensorflow,
        counted.found as months_found,
        cast(if(counted.source = 'papers', 0, greatest(counted.months - counted.found, 0)) as bigint)
            as months_lacking,
        told.months_partial,
        counted.lowest_month,
        pairs.pytorch as lowest_pytorch,
        pairs.tensorflow as lowest_tensorflow,
        told.gap_reason
    from counted
    inner join told
        on
            counted.basis = told.basis
            and counted.measure = told.measure
            and counted.series = told.series
            and counted.months = told.months
            and counted.as_of = told.as_of
    left join pairs
        on
            counted.basis = pairs.basis
            and counted.measure = pairs.measure
            and counted.series = pairs.series
            and counted.lowest_month = pairs.month
)

select * from final
