-- A listing of pairs of tags does not answer for a month: nobody asked for it.
with by_series as (
    select * from meta.coverage_by_series
    where source != 'stackoverflow' or series = provider
),

months as (
    select * from meta.months
),

reach as (
    select * from meta.reach
),

statements as (
    select * from meta.statements
),

outages as (
    select * from meta.outages
),

populations as (
    select * from meta.populations
),

sources as (
    select source from reach
    union
    select source from by_series
),

summed as (
    select
        by_series.source,
        by_series.month,
        bool_or(by_series.status = 'present') as is_present,
        bool_or(by_series.status = 'partial') as is_partial,
        bool_or(by_series.status = 'gap') as is_gap,
        bool_and(populations.is_sample) filter (where by_series.status in ('present', 'partial')) as is_all_samples,
        max(by_series.observed_at) as observed_at,
        list_sort(list(distinct by_series.provider) filter (where by_series.status in ('present', 'partial')))
            as providers,
        list_sort(list(distinct by_series.series) filter (where by_series.status in ('present', 'partial'))) as series,
        arg_min(by_series.reason, by_series.series) filter (where by_series.status = 'gap') as gap_reason,
        arg_min(by_series.reason, by_series.series) filter (where by_series.status = 'partial') as partial_reason,
        string_agg(
            distinct by_series.provider || ': ' || by_series.lacking, '; '
            order by by_series.provider || ': ' || by_series.lacking
        ) as lacking,
        -- Of several series that ended, the one that ended last says best why there is no more.
        arg_max(by_series.reason, by_series.last_month) filter (where by_series.status = 'missing') as missing_reason
    from (
        select
            *,
            max(month) filter (where status in ('present', 'partial')) over (partition by source, series) as last_month
        from by_series
    ) as by_series
    left join populations on by_series.source = populations.source and by_series.series = populations.population
    group by by_series.source, by_series.month
),

said as (
    select
        source,
        month,
        max("at") as said_at,  -- noqa: RF06
        arg_max(status, "at") as status,  -- noqa: RF06
        arg_max(provider || ': ' || cause, "at") as cause,  -- noqa: RF06
        arg_max_null(remedy, "at") as remedy  -- noqa: RF06
    from statements
    group by source, month
),

-- Whoever reaches a month that nobody has answered.
helpers as (
    select
        months.month,
        reach.source,
        bool_or(reach.provider = 'recorded') as is_recorded,
        'set FW_MODE=live: ' || string_agg(
            reach.provider || ' reaches this month' || coalesce(' (needs ' || nullif(reach.needs, '') || ')', ''), ', '
            order by reach.provider
        ) filter (where reach.provider != 'recorded') as live
    from months
    inner join reach on months.month between reach.first_month and reach.last_month
    group by months.month, reach.source
),

known as (
    select
        months.month,
        outages.source,
        'known trouble: '
        || string_agg(outages.effect || ' (' || outages.reference || ')', '; ' order by outages.first_day) as trouble
    from months
    inner join outages
        on months.month <= outages.last_day and outages.first_day < months.month + interval 1 month
    group by months.month, outages.source
),

nobody as (
    select
        months.month,
        reach.source,
        string_agg(
            reach.provider || ': ' || case when months.month < reach.first_month then reach.before else reach.after end,
            '; '
            order by reach.provider
        ) as reason
    from months
    inner join reach on months.month not between reach.first_month and reach.last_month
    group by months.month, reach.source
),

judged as (
    select
        sources.source,
        months.month,
        case
            when summed.is_present then 'present'
            when summed.is_partial then 'partial'
            when summed.is_gap or said.status = 'gap' then 'gap'
            -- Nobody can have it, as before the records of a source begin.
            when nobody.source is not null and helpers.source is null then 'gap'
            else 'missing'
        end as status,
        summed.is_all_samples,
        case
            when summed.is_present or summed.is_partial
                then case when said.said_at > summed.observed_at then 'a later fetch gave no figure: ' || said.cause end
            when said.cause is not null then said.cause
            else
                coalesce(
                    summed.gap_reason,
                    summed.missing_reason,
                    nobody.reason,
                    'not fetched yet'
                )
        end as said_reason,
        case when not summed.is_present and summed.is_partial then summed.partial_reason end as partial_reason,
        known.trouble,
        summed.lacking,
        case
            when summed.is_present then null
            when said.status = 'refused' and nullif(said.remedy, '') is not null then said.remedy
            when summed.is_partial or summed.is_gap or said.status = 'gap' or not coalesce(helpers.is_recorded, false)
                then helpers.live
            else
                concat(
                    'fw-pipeline run --source ', sources.source, ' --from ', strftime(months.month, '%Y-%m'),
                    ' --to ', strftime(months.month, '%Y-%m')
                )
        end as remedy,
        coalesce(summed.providers, []) as providers,
        coalesce(summed.series, []) as series
    from sources
    cross join months
    left join summed on sources.source = summed.source and months.month = summed.month
    left join said on sources.source = said.source and months.month = said.month
    left join helpers on sources.source = helpers.source and months.month = helpers.month
    left join known on sources.source = known.source and months.month = known.month
    left join nobody on sources.source = nobody.source and months.month = nobody.month
),

final as (
    select
        source,
        month,
        status,
        nullif(
            concat_ws(
                '; ',
                said_reason,
                partial_reason,
                lacking,
                case when is_all_samples then 'samples only' end,
                trouble
            ),
            ''
        ) as reason,
        remedy,
        providers,
        series
    from judged
)

select * from final
