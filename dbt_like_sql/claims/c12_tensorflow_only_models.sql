with shares as (
    select
        *,
        tensorflow_only / nullif(models, 0) as share
    from marts.huggingface_exclusivity_as_of
),

definitions as (
    select * from meta.definitions
    where claim = 'C12'
),

-- If no model had both tags, the most possible would be TensorFlow's alone.
measured as (
    select
        shares.formula,
        'huggingface' as source,
        shares.series,
        shares.as_of,
        shares.share as value,
        coalesce(shares.models, 0) as n,
        cast(shares.tensorflow_only as double) as numerator,
        cast(shares.models as double) as denominator,
        coalesce(
            shares.cannot_decide,
            -- Only an interval that lies wholly inside or wholly outside the band decides.
            case
                when
                    shares.share >= definitions.threshold
                    and bounds.share <= definitions.upper
                    and (bounds.share < definitions.threshold or shares.share > definitions.upper)
                    then 'counts by tag give bounds only, and the band is partly between them'
            end
        ) as cannot_decide,
        'counts by tag bound the share: at least ' || round(bounds.share, 3) as note
    from shares
    left join shares as bounds
        on
            shares.series = bounds.series
            and shares.as_of = bounds.as_of
            and shares.formula = 'of pytorch or tensorflow models at most'
            and bounds.formula = 'of pytorch or tensorflow models at least'
    left join definitions on shares.formula = definitions.formula
    where shares.formula != 'of pytorch or tensorflow models at least'
)

select * from measured
