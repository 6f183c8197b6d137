with figures as (
    select * from marts.figures_by_basis
    -- An interpolated figure is no measurement: the month is one without a figure.
    where basis = 'exact' and measure in ('questions', 'the share', 'downloads')
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

traffic as (
    select
        'C8' as claim,
        if(measure = 'questions', 'questions', 'share of questions') || ' on TensorFlow' as formula,
        source,
        series,
        month,
        figure as value,
        known_from
    from figures
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
        'ratio of ' || measure as formula,
        source,
        series,
        month,
        max(figure) filter (where framework = 'pytorch')
        / nullif(max(figure) filter (where framework = 'tensorflow'), 0) as value,
        max(known_from) as known_from
    from figures
    where measure in ('questions', 'downloads') and framework in ('pytorch', 'tensorflow')
    group by measure, source, series, month
    having count(distinct framework) = 2
),

observed as (
    select
        *,
        max(month) over (partition by claim, formula, source, series) as last_month
    from (
        select * from traffic
        union all
        select * from deployment_ratios
        union all
        select * from overtaking
    ) as followed
),

-- What is from before the last break is of another kind, a ratio or a share as well: what was deleted, or not counted,
-- was not the same part of everything.
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
                and observed.source = outages.source
                and starts_with(observed.series, coalesce(outages.series, ''))
                and observed.month < date_trunc('month', outages.first_day)
                and outages.first_day < observed.last_month + interval 1 month
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
