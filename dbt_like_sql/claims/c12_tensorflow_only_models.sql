with shares as (
    select * from marts.huggingface_exclusivity_as_of
),

-- Counts by tag are two rows: if no model had both tags, the most possible would be TensorFlow's alone.
measured as (
    select
        replace(shares.formula, ' at most', '') as formula,
        'huggingface' as source,
        shares.series,
        shares.as_of,
        shares.tensorflow_only / nullif(shares.models, 0) as value,
        shares.tensorflow_only / nullif(shares.models, 0) as high,
        coalesce(fewest.tensorflow_only / nullif(fewest.models, 0), high) as low,
        coalesce(shares.models, 0) as n,
        cast(shares.tensorflow_only as double) as numerator,
        cast(shares.models as double) as denominator,
        shares.cannot_decide
    from shares
    left join shares as fewest
        on
            shares.series = fewest.series
            and shares.as_of = fewest.as_of
            and ends_with(shares.formula, ' at most')
            and ends_with(fewest.formula, ' at least')
    where not ends_with(shares.formula, ' at least')
)

select * from measured
