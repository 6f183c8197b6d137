-- The framework's own downloads: the newest twelve months that one series can compare with the twelve before.
select
    month,
    framework,
    series,
    change,
    change_low,
    change_high,
    direction
from marts.momentum
where is_headline and source = 'pypi' and measure = 'value' and change is not null
qualify row_number() over (partition by framework order by month desc) = 1
order by framework
