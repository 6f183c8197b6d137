with downloads as (
    select * from staging.pypi
    where role = 'ecosystem' and framework in ('pytorch', 'tensorflow')
),

variants as (
    select
        'downloads of the ecosystem' as formula,
        '' as without
    union all
    select
        'downloads of the ecosystem without transformers' as formula,
        'transformers' as without
),

sums as (
    select
        variants.formula,
        downloads.series,
        downloads.month as as_of,
        sum(downloads.downloads_per_day) filter (where downloads.framework = 'tensorflow') as tensorflow,
        sum(downloads.downloads_per_day) filter (where downloads.framework = 'pytorch') as pytorch,
        count(downloads.downloads_per_day) as packages,
        string_agg(downloads.package, ', ' order by downloads.package) filter (
            where downloads.downloads_per_day is null
        ) as lacking,
        max(downloads.gap_reason) filter (where downloads.downloads_per_day is null) as gap_reason,
        count(distinct downloads.framework) as sides,
        bool_or(downloads.is_partial and downloads.downloads_per_day is not null) as is_partial
    from downloads
    inner join variants on downloads.package != variants.without
    group by variants.formula, downloads.series, downloads.month
),

-- A series that follows the packages of one side only compares nothing.
measured as (
    select
        formula,
        'pypi' as source,
        series,
        as_of,
        as_of as since,
        tensorflow / nullif(pytorch, 0) as value,
        cast(packages as bigint) as n,
        tensorflow as numerator,
        pytorch as denominator,
        case
            when tensorflow / nullif(pytorch, 0) is null then coalesce(gap_reason, 'one side has no figure')
        end as cannot_decide,
        cast(tensorflow is null or pytorch is null as bigint) as months_lacking,
        cast(is_partial as bigint) as months_partial,
        lacking
    from sums
    where sides = 2
)

select * from measured
