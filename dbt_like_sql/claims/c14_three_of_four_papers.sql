with papers as (
    select * from staging.papers
    where month >= date '2015-11-01'
),

populations as (
    select * from meta.populations
    where source = 'papers'
),

closed_months as (
    select * from meta.months
),

counts as (
    select
        *,
        'papers' as counted,
        papers as number
    from papers
    where counts_papers
    union all
    select
        *,
        'repositories' as counted,
        repositories as number
    from papers
    where repositories is not null
    union all
    select
        *,
        'papers with an official repository' as counted,
        papers as number
    from papers
    where official
    union all
    select
        *,
        'official repositories' as counted,
        repositories as number
    from papers
    where official and repositories is not null
),

spans as (
    select
        series,
        counted,
        min(month) as first_month,
        max(month) as last_month
    from counts
    group by series, counted
),

-- A paper counts in the month that it is dated by: nothing later than the end of the window is looked at.
ends as (
    select
        spans.series,
        spans.counted,
        spans.first_month,
        closed_months.month as as_of,
        unnest(['in the year', 'over 12 months']) as covers,
        cast(unnest([date_trunc('year', closed_months.month), closed_months.month - interval 11 months]) as date)
            as from_month
    from spans
    inner join closed_months on closed_months.month between spans.first_month and spans.last_month
),

sums as (
    select
        ends.series,
        ends.counted,
        ends.covers,
        ends.as_of,
        ends.from_month,
        -- Populations that state how many papers there are say so in rows of their own.
        coalesce(sum(counts.number) filter (where counts.is_total), sum(counts.number)) as everything,
        coalesce(sum(counts.number) filter (where counts.has_pytorch), 0) as pytorch,
        coalesce(sum(counts.number) filter (where counts.has_pytorch or counts.has_tensorflow), 0) as either,
        count(distinct counts.month) filter (where counts.is_partial) as months_partial,
        -- Venues meet in some months only; of the other populations, every month was to be looked at.
        if(
            ends.series in ('papers with code', 'arxiv abstracts'),
            datediff('month', ends.from_month, ends.as_of) + 1
            - count(distinct counts.month) filter (where counts.number is not null), 0
        ) as months_lacking
    from ends
    inner join counts
        on
            ends.series = counts.series
            and ends.counted = counts.counted
            and counts.month between ends.from_month and ends.as_of
            and (ends.covers = 'in the year' or (ends.counted = 'papers' and ends.first_month <= ends.from_month))
    group by ends.series, ends.counted, ends.covers, ends.as_of, ends.from_month
),

forms as (
    select
        *,
        unnest(['of ' || counted || ' naming one of the two ' || covers, 'of all ' || counted || ' ' || covers])
            as formula,
        unnest([either, everything]) as whole
    from sums
),

measured as (
    select
        forms.formula,
        'papers' as source,
        forms.series,
        forms.as_of,
        forms.from_month as since,
        forms.pytorch / nullif(forms.whole, 0) as value,
        -- A paper that names neither may still use one.
        cast(if(starts_with(forms.formula, 'of all'), 1, null) as double) as high,
        cast(coalesce(forms.whole, 0) as bigint) as n,
        cast(forms.pytorch as double) as numerator,
        cast(forms.whole as double) as denominator,
        case
            when populations.is_sample then populations.what
            when coalesce(forms.whole, 0) = 0 then 'no paper names one of the two'
        end as cannot_decide,
        forms.months_lacking,
        forms.months_partial,
        -- "All" is all of the population, which may itself be papers with code, or papers that name a framework.
        case when starts_with(forms.formula, 'of all') and not populations.is_sample then populations.what end
            as note
    from forms
    left join populations on forms.series = populations.population
)

select * from measured
