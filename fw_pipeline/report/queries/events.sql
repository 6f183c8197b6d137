-- Dated events that explain a bend in a curve.
select
    day,
    event,
    frameworks,
    reference
from meta.events
order by day
