with shares as (
    select * from marts.huggingface_exclusivity_as_of
),

-- Counts by tag are two rows: if every model with the rarer tag had the other one too, the least share would be left.
measured as (
    select
        replace(shares.formula, ' at least', '') as formula,
        'huggingface' as source,
        shares.series,
        shares.as_of,
        shares.pytorch_only / nullif(shares.models, 0) as value,
        shares.pytorch_only / nullif(shares.models, 0) as low,
        coalesce(most.pytorch_only / nullif(most.models, 0), low) as high,
        coalesce(shares.models, 0) as n,
        cast(shares.pytorch_only as double) as numerator,
        cast(shares.models as double) as denominator,
        shares.cannot_decide
    from shares
    left join shares as most
        on
            shares.series = most.series
            and shares.as_of = most.as_of
            and ends_with(shares.formula, ' at least')
            and ends_with(most.formula, ' at most')
    where not ends_with(shares.formula, ' at most')
)

select * from measured
