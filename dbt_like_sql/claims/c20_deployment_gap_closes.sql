with months as (
    select * from marts.deployment
    -- A series that follows one side only compares nothing.
    where has_both_sides
),

quarters as (
    select
        *,
        -- A month counts for both sides or for none: otherwise a gap of one would move the ratio.
        sum(pytorch) filter (where tensorflow is not null) over last_quarter
        / nullif(sum(tensorflow) filter (where pytorch is not null) over last_quarter, 0) as ratio,
        count(pytorch + tensorflow) over last_quarter as months_found,
        count(*) filter (where is_partial) over last_quarter as months_partial,
        sum(tensorflow + pytorch) over last_quarter as counted,
        min(month) over (partition by measure, series) as first_month
    from months
    window
        last_quarter as (
            partition by measure, series
            order by month range between interval 2 months preceding and current row
        )
),

pairs as (
    select
        quarters.measure,
        quarters.source,
        quarters.series,
        quarters.month as as_of,
        case when quarters.months_found >= 2 then quarters.ratio end as ratio,
        case when earlier.months_found >= 2 then earlier.ratio end as earlier_ratio,
        6 - quarters.months_found - coalesce(earlier.months_found, 0) as months_lacking,
        quarters.months_partial + coalesce(earlier.months_partial, 0) as months_partial,
        quarters.counted
    from quarters
    left join quarters as earlier
        on
            quarters.measure = earlier.measure
            and quarters.series = earlier.series
            and quarters.month = earlier.month + interval 12 months
    where quarters.month >= quarters.first_month + interval 14 months
),

measured as (
    select
        'change of the ratio of ' || measure as formula,
        source,
        series,
        as_of,
        cast(as_of - interval 14 months as date) as since,
        ratio / nullif(earlier_ratio, 0) as value,
        cast(coalesce(counted, 0) as bigint) as n,
        ratio as numerator,
        earlier_ratio as denominator,
        case when ratio / nullif(earlier_ratio, 0) is null then 'too few months have a figure of both' end
            as cannot_decide,
        months_lacking,
        months_partial
    from pairs
)

select * from measured
