-- Questions on Stack Overflow by month and tag, as counts and as shares of all questions of the month.
select
    month,
    series,
    framework,
    questions,
    site_questions,
    share,
    is_estimated,
    is_share_estimated,
    gap_reason
from staging.stackoverflow
where tagged in ('tensorflow', 'pytorch', 'keras')
order by series, framework, month
