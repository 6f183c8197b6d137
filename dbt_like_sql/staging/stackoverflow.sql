with figures as (
    select * from raw.stackoverflow
),

tags as (
    select * from meta.tags
),

months as (
    select * from meta.months
),

statements as (
    select * from meta.statements
    where source = 'stackoverflow'
),

outages as (
    select * from meta.outages
    where source = 'stackoverflow'
),

listings as (
    select * from meta.question_listings
),

last_months as (
    select
        provider,
        max(month) as last_month
    from figures
    group by provider
),

first_months as (
    select
        provider,
        tagged,
        min(month) as first_month
    from figures
    group by provider, tagged
),

spine as (
    select
        months.month,
        first_months.provider,
        first_months.tagged
    from first_months
    inner join last_months on first_months.provider = last_months.provider
    inner join months on months.month between first_months.first_month and last_months.last_month
),

said as (
    select
        provider,
        month,
        arg_max(cause, "at") as cause  -- noqa: RF06
    from statements
    group by provider, month
),

lost as (
    select
        last_months.provider,
        months.month,
        arg_min(outages.effect || ' (' || outages.reference || ')', outages.last_day - outages.first_day) as effect
    from months
    cross join last_months
    inner join outages
        on
            months.month <= outages.last_day
            and outages.first_day < months.month + interval 1 month
            and starts_with(last_months.provider, coalesce(outages.series, ''))
    group by last_months.provider, months.month
),

site as (
    select
        provider,
        month,
        questions,
        method
    from figures
    where tagged = '*'
),

counted as (
    select
        spine.month,
        spine.provider as series,
        spine.tagged,
        case when spine.tagged != '*' and not contains(spine.tagged, ';') then tags.framework end as framework,
        figures.questions,
        site.questions as site_questions,
        figures.questions / nullif(site.questions, 0) as share,
        coalesce(contains(figures.method, 'interpolated'), false) as is_estimated,
        coalesce(contains(figures.method, 'interpolated'), false)
        or (figures.questions is not null and coalesce(contains(site.method, 'interpolated'), false))
            as is_share_estimated,
        false as is_partial,
        case
            when figures.questions is null
                then coalesce(
                    said.cause,
                    'the ' || spine.provider || ' figures have none for this month'
                    || coalesce('; known trouble then: ' || lost.effect, '')
                )
        end as gap_reason,
        figures.origin,
        figures.method,
        figures.observed_on,
        spine.provider,
        figures.evidence,
        figures.observed_at
    from spine
    left join figures
        on spine.month = figures.month and spine.provider = figures.provider and spine.tagged = figures.tagged
    left join site on spine.month = site.month and spine.provider = site.provider
    left join tags on spine.tagged = tags.tagged
    left join said on spine.month = said.month and spine.provider = said.provider
    left join lost on spine.month = lost.month and spine.provider = lost.provider
),

-- What others listed later: pairs of tags alone, as nobody counted them by month. Listings of single tags are compared
-- with the figures above in marts.drift, and bounds are no figures.
listed as (
    select
        month,
        origin as series,
        tagged,
        cast(null as varchar) as framework,
        questions,
        cast(null as bigint) as site_questions,
        cast(null as double) as share,
        false as is_estimated,
        false as is_share_estimated,
        false as is_partial,
        cast(null as varchar) as gap_reason,
        origin,
        method,
        observed_on,
        'recorded' as provider,
        'recorded/question_listings.csv' as evidence,
        cast(null as timestamptz) as observed_at
    from listings
    where side = 'exact' and contains(tagged, ';')
),

final as (
    select * from counted
    union all
    select * from listed
)

select * from final
