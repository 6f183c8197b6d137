with questions as (
    select * from staging.stackoverflow
),

-- Interpolated questions are left out: most tags are too small to be worth an estimate.
exact as (
    select
        series,
        tagged,
        month,
        case when not coalesce(is_estimated, false) then questions end as questions,
        gap_reason
    from questions
),

years as (
    select
        series,
        tagged,
        month as as_of,
        cast(month - interval 11 months as date) as since,
        sum(questions) over last_year as asked,
        count(questions) over last_year as months_found,
        gap_reason,
        min(month) over (partition by series, tagged) as first_month
    from exact
    window
        last_year as (
            partition by series, tagged
            order by month range between interval 11 months preceding and current row
        )
),

final as (
    select
        series,
        tagged,
        as_of,
        since,
        cast(coalesce(asked, 0) as bigint) as asked,
        months_found,
        12 - months_found as months_lacking,
        case when months_found >= 8 then asked / months_found end as per_month,
        case
            when months_found < 8 then coalesce(gap_reason, 'fewer than 8 of the last 12 months have a figure')
        end as gap_reason
    from years
    -- Eight of the twelve months are enough, also of a series that is no older.
    where as_of >= first_month + interval 7 months
)

select * from final
