-- Downloads a day of the packages around both frameworks: companions, and those that serve and deploy models.
with kinds as (
    select
        'companions' as kind,
        as_of as month,
        series,
        pytorch,
        tensorflow,
        -- Where fewer than half of the packages have a figure, the month tells of those few.
        2 * packages >= max(packages) over (partition by formula) as is_enough
    from marts.ecosystem_downloads
    where formula = 'downloads of companion packages'
    union all by name
    select
        'deployment' as kind,
        month,
        series,
        pytorch,
        tensorflow,
        unfollowed is null as is_enough
    from marts.deployment
    where source = 'pypi' and measure = 'downloads of serving and edge packages' and has_both_sides
)

select
    kinds.kind,
    kinds.month,
    kinds.series,
    kinds.pytorch,
    kinds.tensorflow,
    round(kinds.pytorch / nullif(kinds.tensorflow, 0), 6) as ratio
from kinds
inner join meta.headline_series as preferred
    on preferred.source = 'pypi' and preferred.definition = 'downloads per day of the package, ' || kinds.series
where kinds.is_enough and kinds.pytorch is not null and kinds.tensorflow is not null
qualify row_number() over (partition by kinds.kind, kinds.month order by preferred.rank) = 1
order by kinds.kind, kinds.month
