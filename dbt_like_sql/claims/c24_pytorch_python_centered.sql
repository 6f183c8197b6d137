with shares as (
    select
        *,
        pytorch_languages / nullif(pytorch_all, 0) as pytorch_share,
        tensorflow_languages / nullif(tensorflow_all, 0) as tensorflow_share,
        -- The counts are small: two standard errors of the logarithm of the ratio, on either side of it.
        exp(2 * sqrt(1 / nullif(pytorch_languages, 0) + 1 / nullif(tensorflow_languages, 0))) as spread
    from marts.language_shares
),

measured as (
    select
        formula,
        'stackoverflow' as source,
        series,
        as_of,
        since,
        case when months_found >= 8 then pytorch_share / nullif(tensorflow_share, 0) end as value,
        value * tensorflow_languages / nullif(tensorflow_languages + tensorflow_hidden, 0) / spread as low,
        value * (pytorch_languages + pytorch_hidden) / nullif(pytorch_languages, 0) * spread as high,
        coalesce(pytorch_languages, 0) as n,
        pytorch_share as numerator,
        tensorflow_share as denominator,
        12 - months_found as months_lacking,
        case
            when months_found < 8 then 'fewer than 8 of the last 12 months have figures of both'
            when coalesce(tensorflow_share, 0) = 0 then 'no question on TensorFlow names another language'
        end as cannot_decide
    from shares
)

select * from measured
