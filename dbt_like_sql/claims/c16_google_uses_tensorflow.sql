-- No source gives models or repositories by organisation yet: every formula says what is missing.
select
    definition,
    as_of,
    value,
    n,
    detail
from meta.unmeasured
where claim = 'C16'
