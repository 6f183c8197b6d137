-- No source gives models or repositories by organisation yet.
select
    cast(null as varchar) as formula,
    cast(null as date) as as_of,
    cast(null as double) as value,
    cast(0 as bigint) as n,
    cast(null as varchar) as cannot_decide
where false
