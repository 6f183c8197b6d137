-- None of the sources can say anything: the reason stands in the document.
select
    'not measurable' as definition,
    cast(null as date) as as_of,
    cast(null as double) as value,
    cast(0 as bigint) as n,
    cast(json_object('cannot_decide', 'none of the sources can measure it') as varchar) as detail
