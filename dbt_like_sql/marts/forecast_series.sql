with metrics as (
    select * from marts.framework_metrics
),

deployment as (
    select * from marts.deployment
    -- A series that follows one side only compares nothing.
    where has_both_sides
),

outages as (
    select * from meta.outages
    where kind in ('break', 'distorted')
),

closed_months as (
    select * from meta.months
),

formulas as (
    select
        words.claim,
        words.formula,
        words.unit
    from (
        values
        ('C8', 'questions on TensorFlow', 'questions'),
        ('C8', 'share of questions on TensorFlow', 'share'),
        ('C20', 'ratio of downloads of serving and edge packages', 'times'),
        ('C20', 'ratio of questions on deployment tags', 'times'),
        ('C25', 'ratio of downloads', 'times'),
        ('C25', 'ratio of questions', 'times')
    ) as words (claim, formula, unit)
),

-- An interpolated figure is no measurement: the month is one without a figure.
traffic as (
    select
        'C8' as claim,
        'questions on TensorFlow' as formula,
        source,
        series,
        month,
        case when not coalesce(is_estimated, false) then value end as value,
        known_from
    from metrics
    where source = 'stackoverflow' and framework = 'tensorflow'
    union all
    select
        'C8' as claim,
        'share of questions on TensorFlow' as formula,
        source,
        series,
        month,
        case when not coalesce(is_share_estimated, false) then share end as value,
        known_from
    from metrics
    where source = 'stackoverflow' and framework = 'tensorflow'
),

deployment_ratios as (
    select
        'C20' as claim,
        'ratio of ' || measure as formula,
        source,
        series,
        month,
        pytorch / nullif(tensorflow, 0) as value,
        month as known_from
    from deployment
),

overtaking as (
    select
        'C25' as claim,
        case when source = 'pypi' then 'ratio of downloads' else 'ratio of questions' end as formula,
        source,
        series,
        month,
        max(value) filter (where framework = 'pytorch' and not is_estimated)
        / nullif(max(value) filter (where framework = 'tensorflow' and not is_estimated), 0) as value,
        max(known_from) as known_from
    from metrics
    where metric in ('questions', 'downloads_per_day') and framework in ('pytorch', 'tensorflow')
    group by source, series, month
    having count(distinct framework) = 2
),

observed as (
    select * from traffic
    union all
    select * from deployment_ratios
    union all
    select * from overtaking
),

-- A count from before a break is of another kind; a ratio of two counts of the same kind goes on.
kept as (
    select
        observed.*,
        (
            select any_value(outages.effect || ' (' || outages.reference || ')')
            from outages
            where
                outages.kind = 'distorted'
                and observed.source = outages.source
                and starts_with(observed.series, coalesce(outages.series, ''))
                and observed.month <= outages.last_day
                and outages.first_day < observed.month + interval 1 month
        ) as distortion
    from observed
    where
        not exists (
            select 1 from outages
            where
                outages.kind = 'break'
                and observed.formula = 'questions on TensorFlow'
                and observed.source = outages.source
                and starts_with(observed.series, coalesce(outages.series, ''))
                and observed.month < date_trunc('month', outages.first_day)
        )
),

final as (
    select
        formulas.claim,
        formulas.formula,
        formulas.unit,
        coalesce(kept.source, 'none') as source,
        coalesce(kept.series, 'no series') as series,
        coalesce(kept.month, (select max(closed_months.month) from closed_months)) as month,
        case when kept.value > 0 and kept.distortion is null then kept.value end as value,
        case
            when kept.month is null then 'no series has figures of both sides'
            when kept.value is null then 'no figure, or an interpolated one'
            when kept.value <= 0 then 'none counted'
            else kept.distortion
        end as gap_reason,
        coalesce(kept.known_from, (select max(closed_months.month) from closed_months)) as known_from
    from formulas
    left join kept on formulas.claim = kept.claim and formulas.formula = kept.formula
)

select * from final
