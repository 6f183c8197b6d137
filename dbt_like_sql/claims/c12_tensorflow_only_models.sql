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

unmeasured as (
    select
        definition,
        as_of,
        value,
        n,
        detail
    from meta.unmeasured
    where claim = 'C12'
),

-- If no model had both tags, the most possible would be TensorFlow's alone.
measured as (
    select
        shares.formula,
        'huggingface' as source,
        shares.series,
        shares.as_of,
        cast(null as date) as from_month,
        shares.share as value,
        coalesce(shares.models, 0) as n,
        shares.tensorflow_only as numerator,
        shares.models as denominator,
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
        0 as months_lacking,
        0 as months_partial,
        'counts by tag bound the share: at least ' || round(bounds.share, 3) as remark
    from shares
    left join shares as bounds
        on
            shares.series = bounds.series
            and shares.as_of = bounds.as_of
            and shares.formula = 'of pytorch or tensorflow models at most'
            and bounds.formula = 'of pytorch or tensorflow models at least'
    left join definitions on shares.formula = definitions.formula
    where shares.formula != 'of pytorch or tensorflow models at least'
),

final as (
    select
        formula || ', ' || series as definition,
        as_of,
        round(value, 9) as value,
        n,
        cast(json_object(
            'source', source, 'since', from_month, 'numerator', round(numerator, 9),
            'denominator', round(denominator, 9), 'months_lacking', months_lacking, 'months_partial', months_partial,
            'note', remark, 'cannot_decide', cannot_decide
        ) as varchar) as detail
    from measured
    union all
    select unmeasured.* from unmeasured
    anti join measured on unmeasured.definition = measured.formula
)

select * from final
