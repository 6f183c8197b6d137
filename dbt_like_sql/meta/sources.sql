with coverage as (
    select * from meta.coverage
),

counted as (
    select
        source,
        count(*) filter (where status in ('present', 'partial')) as months,
        min(month) filter (where status in ('present', 'partial')) as first_month,
        max(month) filter (where status in ('present', 'partial')) as last_month,
        list_sort(list_distinct(flatten(list(providers)))) as providers
    from coverage
    group by source
),

final as (
    select
        source,
        months,
        first_month,
        last_month,
        providers,
        case when months = 0 then concat('no month of ', source, ' has come in') end as why_none
    from counted
)

select * from final
