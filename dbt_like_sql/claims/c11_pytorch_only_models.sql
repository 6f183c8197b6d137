with shares as (
    select
        *,
        pytorch_only / nullif(models, 0) as share
    from marts.huggingface_exclusivity_as_of
),

definitions as (
    select * from meta.definitions
    where claim = 'C11'
),

-- If every model with the tag of TensorFlow had that of PyTorch too, the least share would be left.
measured as (
    select
        shares.formula,
        'huggingface' as source,
        shares.series,
        shares.as_of,
        shares.share as value,
        coalesce(shares.models, 0) as n,
        cast(shares.pytorch_only as double) as numerator,
        cast(shares.models as double) as denominator,
        coalesce(
            shares.cannot_decide,
            case
                when shares.share < definitions.threshold and bounds.share >= definitions.threshold
                    then 'counts by tag give bounds only, and the threshold lies between them'
            end
        ) as cannot_decide,
        'counts by tag bound the share: at most ' || round(bounds.share, 3) as note
    from shares
    left join shares as bounds
        on
            shares.series = bounds.series
            and shares.as_of = bounds.as_of
            and shares.formula = 'of pytorch or tensorflow models at least'
            and bounds.formula = 'of pytorch or tensorflow models at most'
    left join definitions on shares.formula = definitions.formula
    where shares.formula != 'of pytorch or tensorflow models at most'
)

select * from measured
