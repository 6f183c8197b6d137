with downloads as (
    select
        pypi.*,
        packages.ecosystem
    from staging.pypi as pypi
    inner join meta.packages as packages on pypi.package = packages.package
    where packages.ecosystem is not null and packages.framework in ('pytorch', 'tensorflow')
),

lists as (
    select
        *,
        'downloads of the ecosystem' as formula
    from downloads
    union all
    select
        *,
        'downloads of companion packages' as formula
    from downloads
    where ecosystem = 'companion'
),

sums as (
    select
        formula,
        series,
        month as as_of,
        sum(downloads_per_day order by package) filter (where framework = 'tensorflow') as tensorflow,
        sum(downloads_per_day order by package) filter (where framework = 'pytorch') as pytorch,
        count(downloads_per_day) as packages,
        string_agg(package, ', ' order by package) filter (where downloads_per_day is null) as lacking,
        max(gap_reason) filter (where downloads_per_day is null) as gap_reason,
        bool_or(is_partial and downloads_per_day is not null) as is_partial
    from lists
    group by formula, series, month
    -- A series that follows the packages of one side only compares nothing.
    having count(distinct framework) = 2
),

-- No single package may decide: each is left out in turn.
without_one as (
    select
        sums.formula,
        sums.series,
        sums.as_of,
        lists.package,
        sums.tensorflow - if(lists.framework = 'tensorflow', lists.downloads_per_day, 0) as tensorflow,
        sums.pytorch - if(lists.framework = 'pytorch', lists.downloads_per_day, 0) as pytorch,
        count(*) filter (where lists.framework = 'tensorflow') over side as of_tensorflow,
        count(*) filter (where lists.framework = 'pytorch') over side as of_pytorch,
        lists.framework
    from sums
    inner join lists
        on sums.formula = lists.formula and sums.series = lists.series and sums.as_of = lists.month
    where sums.formula = 'downloads of companion packages' and lists.downloads_per_day is not null
    window side as (partition by sums.formula, sums.series, sums.as_of)
),

ratios as (
    select
        *,
        tensorflow / pytorch as ratio
    from without_one
    -- A ratio is left only where both sides still have a package.
    where if(framework = 'tensorflow', of_tensorflow > 1 and of_pytorch > 0, of_pytorch > 1 and of_tensorflow > 0)
),

extremes as (
    select
        formula,
        series,
        as_of,
        min(struct_pack(ratio := ratio, package := package, tensorflow := tensorflow, pytorch := pytorch)) as lowest,
        max(struct_pack(ratio := ratio, package := package, tensorflow := tensorflow, pytorch := pytorch)) as highest
    from ratios
    group by formula, series, as_of
),

final as (
    select
        sums.formula,
        sums.series,
        sums.as_of,
        sums.tensorflow,
        sums.pytorch,
        sums.packages,
        sums.lacking,
        sums.gap_reason,
        sums.is_partial,
        null as note
    from sums
    union all
    select
        sums.formula || ' at their ' || if(extreme.is_lowest, 'least', 'most') || ' without one' as formula,
        sums.series,
        sums.as_of,
        if(extreme.is_lowest, extremes.lowest.tensorflow, extremes.highest.tensorflow) as tensorflow,
        if(extreme.is_lowest, extremes.lowest.pytorch, extremes.highest.pytorch) as pytorch,
        greatest(sums.packages - 1, 0) as packages,
        sums.lacking,
        sums.gap_reason,
        sums.is_partial,
        'without ' || if(extreme.is_lowest, extremes.lowest.package, extremes.highest.package) as note
    from sums
    cross join (values (true), (false)) as extreme (is_lowest)
    left join extremes
        on sums.formula = extremes.formula and sums.series = extremes.series and sums.as_of = extremes.as_of
    where sums.formula = 'downloads of companion packages'
)

select
    formula,
    series,
    as_of,
    tensorflow,
    pytorch,
    packages,
    lacking,
    gap_reason,
    coalesce(is_partial, false) as is_partial,
    note
from final
