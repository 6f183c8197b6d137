with downloads as (
    select * from staging.pypi
    where role = 'ecosystem' and framework in ('pytorch', 'tensorflow')
),

ends as (
    select
        series,
        month as as_of,
        min(min(month)) over (partition by series) as first_month
    from downloads
    group by series, month
),

-- Quarters, so that one strange month does not make a year's growth.
quarters as (
    select
        ends.series,
        ends.as_of,
        ends.first_month,
        downloads.framework,
        downloads.package,
        avg(downloads.downloads_per_day) filter (where downloads.month > ends.as_of - interval 3 months) as now_level,
        avg(downloads.downloads_per_day) filter (where downloads.month <= ends.as_of - interval 12 months)
            as year_ago_level
    from ends
    inner join downloads
        on
            ends.series = downloads.series
            and (
                downloads.month between ends.as_of - interval 2 months and ends.as_of
                or downloads.month between ends.as_of - interval 14 months and ends.as_of - interval 12 months
            )
    group by ends.series, ends.as_of, ends.first_month, downloads.framework, downloads.package
),

-- Of the quarter and of that a year ago: the months with a figure of any package, and those with a part only.
holes as (
    select
        ends.series,
        ends.as_of,
        count(distinct downloads.month) filter (where downloads.month > ends.as_of - interval 3 months) as months_now,
        count(distinct downloads.month) as months_of_both,
        count(distinct downloads.month) filter (
            where downloads.is_partial and downloads.month > ends.as_of - interval 3 months
        ) as partial_now,
        count(distinct downloads.month) filter (where downloads.is_partial) as partial_of_both
    from ends
    inner join downloads
        on
            ends.series = downloads.series
            and (
                downloads.month between ends.as_of - interval 2 months and ends.as_of
                or downloads.month between ends.as_of - interval 14 months and ends.as_of - interval 12 months
            )
    where downloads.downloads_per_day is not null
    group by ends.series, ends.as_of
),

sides as (
    select
        series,
        as_of,
        first_month,
        framework,
        count(now_level) as packages,
        count(now_level + year_ago_level) as packages_of_both,
        sum(now_level) as now_level,
        sum(now_level) / nullif(sum(year_ago_level), 0) as growth,
        sum(now_level) filter (where year_ago_level is not null)
        / nullif(sum(year_ago_level) filter (where now_level is not null), 0) as like_for_like
    from quarters
    group by series, as_of, first_month, framework
),

pairs as (
    select
        pytorch.series,
        pytorch.as_of,
        pytorch.first_month,
        pytorch.packages + tensorflow.packages as packages,
        pytorch.packages_of_both + tensorflow.packages_of_both as packages_of_both,
        pytorch.now_level as pytorch_level,
        tensorflow.now_level as tensorflow_level,
        pytorch.growth as pytorch_growth,
        tensorflow.growth as tensorflow_growth,
        pytorch.like_for_like as pytorch_like,
        tensorflow.like_for_like as tensorflow_like,
        holes.months_now,
        holes.months_of_both,
        holes.partial_now,
        holes.partial_of_both
    from sides as pytorch
    inner join sides as tensorflow
        on
            pytorch.series = tensorflow.series
            and pytorch.as_of = tensorflow.as_of
            and tensorflow.framework = 'tensorflow'
    inner join holes on pytorch.series = holes.series and pytorch.as_of = holes.as_of
    where pytorch.framework = 'pytorch'
),

forms as (
    select
        *,
        'growth of the ecosystem over a year' as formula,
        14 as months_back,
        packages as n,
        pytorch_growth as numerator,
        tensorflow_growth as denominator
    from pairs
    union all
    select
        *,
        'growth of the same packages over a year' as formula,
        14 as months_back,
        packages_of_both as n,
        pytorch_like as numerator,
        tensorflow_like as denominator
    from pairs
    union all
    select
        *,
        'size of the ecosystem over 3 months' as formula,
        2 as months_back,
        packages as n,
        pytorch_level as numerator,
        tensorflow_level as denominator
    from pairs
),

measured as (
    select
        formula,
        'pypi' as source,
        series,
        as_of,
        cast(as_of - to_months(months_back) as date) as since,
        numerator / nullif(denominator, 0) as value,
        cast(n as bigint) as n,
        numerator,
        denominator,
        case when numerator / nullif(denominator, 0) is null then 'one side has no figure in the window' end
            as cannot_decide,
        if(months_back = 2, 3 - months_now, 6 - months_of_both) as months_lacking,
        if(months_back = 2, partial_now, partial_of_both) as months_partial
    from forms
    where as_of - to_months(months_back) >= first_month
)

select * from measured
