with downloads as (
    select pypi.*
    from staging.pypi as pypi
    inner join meta.packages as packages on pypi.package = packages.package
    where packages.ecosystem is not null and packages.framework in ('pytorch', 'tensorflow')
),

ends as (
    select
        series,
        month as as_of,
        min(min(month)) over (partition by series) as first_month,
        count(downloads_per_day) > 0 as has_figure,
        bool_or(is_partial and downloads_per_day is not null) as is_partial
    from downloads
    group by series, month
),

-- Twelve months and the twelve before, so that no strange month makes a year's growth; eight of them are a year.
years as (
    select
        ends.series,
        ends.as_of,
        downloads.framework,
        downloads.package,
        case
            when
                count(downloads.downloads_per_day) filter (where downloads.month > ends.as_of - interval 12 months) >= 8
                then
                    avg(downloads.downloads_per_day order by downloads.month) filter (
                        where downloads.month > ends.as_of - interval 12 months
                    )
        end as now_level,
        case
            when
                count(downloads.downloads_per_day) filter (where downloads.month <= ends.as_of - interval 12 months)
                >= 8
                then
                    avg(downloads.downloads_per_day order by downloads.month) filter (
                        where downloads.month <= ends.as_of - interval 12 months
                    )
        end as before_level
    from ends
    inner join downloads
        on
            ends.series = downloads.series
            and downloads.month between ends.as_of - interval 23 months and ends.as_of
    group by ends.series, ends.as_of, downloads.framework, downloads.package
),

sides as (
    select
        series,
        as_of,
        framework,
        count(now_level) as packages,
        count(now_level + before_level) as packages_of_both,
        sum(now_level order by package) as now_level,
        sum(now_level order by package) / nullif(sum(before_level order by package), 0) as growth,
        sum(now_level order by package) filter (where before_level is not null)
        / nullif(sum(before_level order by package) filter (where now_level is not null), 0) as like_for_like
    from years
    group by series, as_of, framework
),

holes as (
    select
        ends.series,
        ends.as_of,
        12 - count(*) filter (where members.has_figure and members.as_of > ends.as_of - interval 12 months) as lacking,
        24 - count(*) filter (where members.has_figure) as lacking_of_both,
        count(*) filter (where members.is_partial and members.as_of > ends.as_of - interval 12 months) as partial_now,
        count(*) filter (where members.is_partial) as partial_of_both
    from ends
    inner join ends as members
        on ends.series = members.series and members.as_of between ends.as_of - interval 23 months and ends.as_of
    group by ends.series, ends.as_of
),

final as (
    select
        ends.series,
        ends.as_of,
        ends.first_month,
        unnest([
            'growth of the same packages over a year', 'growth of the ecosystem over a year',
            'size of the ecosystem over 12 months'
        ]) as formula,
        unnest([23, 23, 11]) as months_back,
        unnest([pytorch.like_for_like, pytorch.growth, pytorch.now_level]) as numerator,
        unnest([tensorflow.like_for_like, tensorflow.growth, tensorflow.now_level]) as denominator,
        unnest([
            pytorch.packages_of_both + tensorflow.packages_of_both, pytorch.packages + tensorflow.packages,
            pytorch.packages + tensorflow.packages
        ]) as n,
        unnest([holes.lacking_of_both, holes.lacking_of_both, holes.lacking]) as months_lacking,
        unnest([holes.partial_of_both, holes.partial_of_both, holes.partial_now]) as months_partial
    from ends
    inner join sides as pytorch
        on ends.series = pytorch.series and ends.as_of = pytorch.as_of and pytorch.framework = 'pytorch'
    inner join sides as tensorflow
        on ends.series = tensorflow.series and ends.as_of = tensorflow.as_of and tensorflow.framework = 'tensorflow'
    inner join holes on ends.series = holes.series and ends.as_of = holes.as_of
)

select
    formula,
    series,
    as_of,
    cast(as_of - to_months(months_back) as date) as since,
    numerator as pytorch,
    denominator as tensorflow,
    n as packages,
    months_lacking,
    months_partial
from final
where as_of - to_months(months_back) >= first_month
