with papers as (
    select * from staging.papers
    where month >= date '2015-11-01'
),

ways_to_count_papers as (
    select
        words.metric,
        words.formula,
        words.is_official_only
    from (
        values
        ('papers', 'papers in the month', false),
        ('papers', 'papers in the month with an official repository', true),
        ('repositories', 'repositories in the month', false),
        ('repositories', 'official repositories in the month', true)
    ) as words (metric, formula, is_official_only)
),

paper_counts as (
    select
        papers.series,
        papers.month,
        papers.frameworks,
        papers.is_total,
        papers.is_partial,
        papers.gap_reason,
        ways.metric,
        ways.formula,
        case ways.metric when 'papers' then papers.papers else papers.repositories end as counted
    from papers
    cross join ways_to_count_papers as ways
    where
        case
            when ways.is_official_only then papers.official
            when ways.metric = 'papers' then papers.counts_papers
            else true
        end
),

paper_wholes as (
    select
        series,
        month,
        metric,
        formula,
        coalesce(sum(counted) filter (where is_total), sum(counted)) as whole,
        bool_or(is_partial) as is_partial,
        any_value(gap_reason) as gap_reason
    from paper_counts
    group by series, month, metric, formula
    having count(counted) > 0
),

paper_parts as (
    select
        series,
        month,
        metric,
        formula,
        unnest(frameworks) as framework,
        counted
    from paper_counts
    where not is_total and counted is not null
),

named as (
    select distinct
        series,
        formula,
        framework
    from paper_parts
),

-- A framework that no paper of a month names has a true zero in a month that was looked at.
final as (
    select
        paper_wholes.month,
        paper_wholes.metric,
        paper_wholes.formula,
        named.framework,
        paper_wholes.series,
        coalesce(sum(paper_parts.counted), 0)::bigint as counted,
        any_value(paper_wholes.whole)::bigint as whole,
        any_value(paper_wholes.is_partial) as is_partial,
        any_value(paper_wholes.gap_reason) as gap_reason
    from paper_wholes
    inner join named
        on paper_wholes.series = named.series and paper_wholes.formula = named.formula
    left join paper_parts
        on
            paper_wholes.series = paper_parts.series
            and paper_wholes.formula = paper_parts.formula
            and paper_wholes.month = paper_parts.month
            and named.framework = paper_parts.framework
    group by paper_wholes.month, paper_wholes.metric, paper_wholes.formula, named.framework, paper_wholes.series
)

select * from final
