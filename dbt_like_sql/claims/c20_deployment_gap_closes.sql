with months as (
    select
        *,
        min(month) over (partition by measure, series) as first_month
    from marts.deployment
    -- A series that follows one side only compares nothing.
    where
        has_both_sides
        and measure != 'downloads of deployment packages without tensorflow-serving-api'
),

quarters as (
    select
        ends.measure,
        ends.source,
        ends.series,
        ends.month as as_of,
        ends.first_month,
        -- A month counts for both sides or for none: otherwise a gap of one would move the ratio.
        sum(members.pytorch order by members.month) filter (where members.tensorflow is not null) as pytorch_sum,
        sum(members.tensorflow order by members.month) filter (where members.pytorch is not null)
            as tensorflow_sum,
        count(members.pytorch + members.tensorflow) as months_found,
        count(*) filter (where members.is_partial) as months_partial,
        case when months_found >= 2 then pytorch_sum / nullif(tensorflow_sum, 0) end as ratio
    from months as ends
    inner join months as members
        on
            ends.measure = members.measure
            and ends.series = members.series
            and members.month between ends.month - interval 2 months and ends.month
    group by ends.measure, ends.source, ends.series, ends.month, ends.first_month
),

forms as (
    select
        'change of the ratio of ' || quarters.measure as formula,
        quarters.source,
        quarters.series,
        quarters.as_of,
        cast(quarters.as_of - interval 14 months as date) as since,
        quarters.ratio as numerator,
        earlier.ratio as denominator,
        quarters.pytorch_sum + quarters.tensorflow_sum as counted,
        6 - quarters.months_found - coalesce(earlier.months_found, 0) as months_lacking,
        quarters.months_partial + coalesce(earlier.months_partial, 0) as months_partial
    from quarters
    left join quarters as earlier
        on
            quarters.measure = earlier.measure
            and quarters.series = earlier.series
            and quarters.as_of = earlier.as_of + interval 12 months
    where quarters.as_of >= quarters.first_month + interval 12 months
    union all
    select
        'ratio of ' || measure as formula,
        source,
        series,
        as_of,
        cast(as_of - interval 2 months as date) as since,
        case when months_found >= 2 then pytorch_sum end as numerator,
        case when months_found >= 2 then tensorflow_sum end as denominator,
        pytorch_sum + tensorflow_sum as counted,
        3 - months_found as months_lacking,
        months_partial
    from quarters
    where measure = 'downloads of serving and edge packages'
),

measured as (
    select
        formula,
        source,
        series,
        as_of,
        since,
        numerator / nullif(denominator, 0) as value,
        cast(coalesce(counted, 0) as bigint) as n,
        numerator,
        denominator,
        months_lacking,
        months_partial,
        case when value is null then 'too few months have a figure of both' end as cannot_decide
    from forms
)

select * from measured
