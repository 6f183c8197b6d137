with figures as (
    select * from marts.figures_by_basis
),

lengths as (
    select unnest([1, 3, 6, 12]) as months
),

-- Without the month's own estimate, the last exact month stands in, if it is near: that window reaches back further.
ends as (
    select
        figures.*,
        lengths.months,
        cast(figures.month - to_months(lengths.months - 1) as date) as since,
        if(figures.basis = 'exact' and lengths.months = 1, 4, lengths.months) as months_back,
        min(figures.month) filter (where figures.figure is not null) over (
            partition by figures.measure, figures.series, figures.framework
        ) as first_month
    from figures
    cross join lengths
),

counted as (
    select
        ends.basis,
        ends.measure,
        ends.source,
        ends.series,
        ends.framework,
        ends.months,
        ends.month as as_of,
        ends.since,
        ends.months_back,
        any_value(ends.first_month) as first_month,
        sum(members.part order by members.month) filter (where members.figure is not null)
        / nullif(sum(members.whole order by members.month) filter (where members.figure is not null), 0) as level,
        arg_max(members.figure, members.month) filter (where members.figure is not null) as last_figure,
        count(members.figure) filter (where members.month >= ends.since) as months_found,
        count(*) filter (where members.is_partial and members.month >= ends.since) as months_partial,
        any_value(ends.gap_reason) as gap_reason
    from ends
    inner join figures as members
        on
            ends.basis = members.basis
            and ends.measure = members.measure
            and ends.series = members.series
            and ends.framework = members.framework
            and members.month > ends.month - to_months(ends.months_back)
            and ends.month >= members.month
    group by
        ends.basis, ends.measure, ends.source, ends.series, ends.framework, ends.months, ends.month, ends.since,
        ends.months_back
),

-- A window needs two thirds of its months; a year of venues is whatever met.
final as (
    select
        basis,
        measure,
        source,
        series,
        framework,
        months,
        as_of,
        since,
        first_month,
        case
            when months_back > months then last_figure
            when months_found * 3 >= months * 2 or source = 'papers' then level
        end as level,
        months_found,
        cast(if(source = 'papers', 0, months - months_found) as bigint) as months_lacking,
        months_partial,
        gap_reason
    from counted
)

select * from final
