with downloads as (
    select * from marts.ecosystem_downloads
),

measured as (
    select
        formula,
        'pypi' as source,
        series,
        as_of,
        as_of as since,
        tensorflow / nullif(pytorch, 0) as value,
        packages as n,
        tensorflow as numerator,
        pytorch as denominator,
        cast(tensorflow is null or pytorch is null as bigint) as months_lacking,
        cast(is_partial as bigint) as months_partial,
        lacking,
        case when value is null then coalesce(gap_reason, 'one side has no figure, or no other package') end
            as cannot_decide,
        note
    from downloads
)

select * from measured
