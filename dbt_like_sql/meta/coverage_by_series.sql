with stackoverflow as (
    select * from staging.stackoverflow
),

huggingface as (
    select * from staging.huggingface
    where month is not null
),

papers as (
    select * from staging.papers
    where month >= date '2015-11-01'
),

pypi as (
    select * from staging.pypi
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

tags as (
    select * from meta.tags
),

fetched_months as (
    select * from meta.fetched_months
),

-- A live provider looks for every tag of the catalogue: what it has no figure of, no question carries.
looked_for as (
    select distinct
        series,
        month
    from stackoverflow
    where questions is not null and provider != 'recorded'
),

unknown_tags as (
    select
        looked_for.series,
        looked_for.month,
        'no figure of ' || string_agg(tags.tagged, ', ' order by tags.tagged)
        || ': no question carries it there' as lacking
    from looked_for
    cross join tags
    left join stackoverflow
        on
            looked_for.series = stackoverflow.series
            and looked_for.month = stackoverflow.month
            and tags.tagged = stackoverflow.tagged
    where stackoverflow.questions is null
    group by looked_for.series, looked_for.month
),

figures as (
    select
        'stackoverflow' as source,
        provider,
        series,
        month,
        count(questions) > 0 as has_figure,
        count(questions) > 0 and series = provider as is_whole,
        coalesce(
            case when series != provider then 'only questions with two tags each, listed on ' || max(observed_on) end,
            any_value(gap_reason)
        ) as gap_reason,
        max(observed_at) as observed_at
    from stackoverflow
    group by provider, series, month
    union all
    select
        'huggingface' as source,
        provider,
        series,
        month,
        true as has_figure,
        not bool_or(is_partial) as is_whole,
        any_value(gap_reason) as gap_reason,
        max(observed_at) as observed_at
    from huggingface
    group by provider, series, month
    union all
    select
        'papers' as source,
        provider,
        series,
        month,
        true as has_figure,
        not bool_or(is_partial) as is_whole,
        any_value(gap_reason) as gap_reason,
        max(observed_at) as observed_at
    from papers
    group by provider, series, month
    union all
    -- A published window of days is no calendar month, even where it happens to fall on one.
    select
        'pypi' as source,
        provider,
        series,
        month,
        count(downloads) > 0 as has_figure,
        bool_or(is_calendar_month and not contains(method, 'window')) as is_whole,
        coalesce(
            case when count(downloads) > 0 then 'only windows of days, not calendar months' end, any_value(gap_reason)
        ) as gap_reason,
        max(observed_at) as observed_at
    from pypi
    group by provider, series, month
    union all
    -- Of any other source a month that came in is whole, and each provider is a series.
    select
        source,
        provider,
        provider as series,
        month,
        true as has_figure,
        true as is_whole,
        null as gap_reason,
        observed_at
    from fetched_months
    where source not in ('stackoverflow', 'huggingface', 'papers', 'pypi')
),

spans as (
    select
        source,
        provider,
        series,
        min(month) filter (where has_figure) as first_month,
        max(month) filter (where has_figure) as last_month
    from figures
    group by source, provider, series
),

said as (
    select
        source,
        provider,
        month,
        max("at") as said_at,  -- noqa: RF06
        arg_max(status, "at") as status,  -- noqa: RF06
        arg_max(cause, "at") as cause  -- noqa: RF06
    from statements
    group by source, provider, month
),

judged as (
    select
        spans.source,
        months.month,
        spans.series,
        spans.provider,
        case
            when figures.has_figure and figures.is_whole then 'present'
            when figures.has_figure then 'partial'
            when said.status = 'gap' then 'gap'
            when said.status is not null then 'missing'
            when months.month between spans.first_month and spans.last_month then 'gap'
            else 'missing'
        end as status,
        case
            when figures.has_figure and said.said_at > figures.observed_at
                then concat_ws('; ', 'a later fetch gave no figure: ' || said.cause, figures.gap_reason)
            when figures.has_figure and not figures.is_whole then figures.gap_reason
            when figures.has_figure then null
            when said.cause is not null then said.cause
            when figures.gap_reason is not null then figures.gap_reason
            when months.month between spans.first_month and spans.last_month
                then spans.series || ' has no figure for this month'
            when months.month < reach.first_month then reach.before
            when months.month > reach.last_month then reach.after
            when months.month < spans.first_month
                then 'the figures of ' || spans.series || ' begin in ' || strftime(spans.first_month, '%Y-%m')
            else 'the figures of ' || spans.series || ' end in ' || strftime(spans.last_month, '%Y-%m')
        end as reason,
        unknown_tags.lacking,
        figures.observed_at
    from spans
    cross join months
    left join figures
        on
            spans.source = figures.source
            and spans.provider = figures.provider
            and spans.series = figures.series
            and months.month = figures.month
    left join said
        on spans.source = said.source and spans.provider = said.provider and months.month = said.month
    left join reach on spans.source = reach.source and spans.provider = reach.provider
    left join unknown_tags
        on
            spans.source = 'stackoverflow'
            and spans.series = unknown_tags.series
            and months.month = unknown_tags.month
),

final as (
    select
        source,
        month,
        series,
        provider,
        status,
        reason,
        lacking,
        observed_at
    from judged
)

select * from final
