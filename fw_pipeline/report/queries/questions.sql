-- Questions on Stack Overflow by month and tag, as counts and as shares of all questions of the month.
select
    month,
    series,
    segment,
    framework,
    value::bigint as questions,
    denominator::bigint as site_questions,
    share,
    is_estimated,
    is_share_estimated,
    gap_reason
from marts.framework_metrics
where source = 'stackoverflow' and metric = 'questions' and framework in ('tensorflow', 'pytorch', 'keras')
order by series, framework, month
