-- Models on the Hugging Face Hub by tag: the newest month of each way of counting them, never a sample.
select
    month,
    series,
    segment,
    pytorch,
    tensorflow,
    round(ratio, 6) as ratio
from marts.pytorch_vs_tensorflow
where source = 'huggingface' and ratio is not null
qualify row_number() over (partition by series, segment order by month desc) = 1
order by month
