-- Papers at nine conferences that name only PyTorch, or only TensorFlow (Keras included), and all papers.
with counts as (
    select
        month,
        venue,
        sum(papers) filter (where has_pytorch and not has_tensorflow) as pytorch,
        sum(papers) filter (where has_tensorflow and not has_pytorch) as tensorflow,
        sum(papers) filter (where is_total) as papers
    from staging.papers
    where series = 'nine venues' and month is not null
    group by month, venue
),

editions as (
    select
        month,
        venue,
        pytorch,
        tensorflow,
        papers
    from counts
    union all
    select
        date_trunc('year', month)::date as month,
        'all nine, by year' as venue,
        sum(pytorch) as pytorch,
        sum(tensorflow) as tensorflow,
        sum(papers) as papers
    from counts
    group by date_trunc('year', month)
)

select
    month,
    venue,
    pytorch::bigint as pytorch,
    tensorflow::bigint as tensorflow,
    papers::bigint as papers,
    pytorch / nullif(pytorch + tensorflow, 0)::double as share_of_both,
    pytorch / nullif(papers, 0)::double as share_of_all,
    tensorflow / nullif(papers, 0)::double as tensorflow_share_of_all
from editions
order by month, venue
