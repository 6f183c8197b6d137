with windows as (
    select * from marts.windows
    where
        -- scikit-learn is a yardstick there, not a deep learning framework; tensorflow itself pulls keras.
        framework != 'scikit-learn'
        and (framework in ('tensorflow', 'pytorch', 'jax') or source != 'pypi')
        and (
            (measure = 'questions' and months in (1, 12))
            or (measure in ('downloads', 'family downloads') and months = 1)
        )
),

papers as (
    select * from marts.figures_by_basis
    where basis = 'published' and framework != 'scikit-learn' and measure in ('papers', 'repositories')
),

models as (
    select * from staging.huggingface
),

exclusivity as (
    select * from marts.huggingface_exclusivity_as_of
    where formula in ('of all models', 'of pytorch or tensorflow models at most')
),

populations as (
    select * from meta.populations
),

named as (
    select unnest(['pytorch', 'tensorflow', 'jax', 'keras']) as framework
),

totals as (
    select
        basis,
        case
            when months = 12 then 'questions over 12 months'
            when measure = 'questions' then 'questions in the month'
            when measure = 'downloads' then 'downloads of the package'
            else 'downloads of the family'
        end as formula,
        source,
        series,
        as_of,
        since,
        framework,
        -- Here no figure is taken from the month before: the ratio as a whole is.
        if(months_found = 0, null, level) as total,
        months_lacking,
        months_partial
    from windows
    union all
    -- Venues meet once a year: papers and repositories are those of the calendar year so far.
    select
        'published' as basis,
        measure || ' in the year' as formula,
        source,
        series,
        month as as_of,
        cast(date_trunc('year', month) as date) as since,
        framework,
        sum(figure) over this_year as total,
        -- Of the other populations, every month was to be looked at.
        if(series in ('papers with code', 'arxiv abstracts'), month(month) - count(figure) over this_year, 0)
            as months_lacking,
        count(*) filter (where is_partial) over this_year as months_partial
    from papers
    window
        this_year as (
            partition by measure, series, framework, year(month)
            order by month
        )
    union all
    -- Models are known as they stood when somebody looked. The Hub's own count by tag has no sets of tags.
    select
        'published' as basis,
        'models on the hub' as formula,
        'huggingface' as source,
        exclusivity.series,
        exclusivity.as_of,
        cast(null as date) as since,
        named.framework,
        if(
            exclusivity.series = 'hub, by tag',
            max(models.models) filter (where lower(models.library) = named.framework),
            coalesce(sum(models.models) filter (
                where case named.framework
                    when 'pytorch' then models.has_pytorch
                    when 'tensorflow' then models.has_tensorflow
                    when 'jax' then models.has_jax
                    when 'keras' then models.has_keras
                end
            ), 0)
        ) as total,
        0 as months_lacking,
        0 as months_partial
    from exclusivity
    cross join named
    inner join models
        on
            exclusivity.series = models.series
            and if(
                exclusivity.series = 'hub, by tag',
                exclusivity.as_of = models.observed_month,
                exclusivity.as_of >= models.observed_month
            )
    group by exclusivity.series, exclusivity.as_of, named.framework
),

compared as (
    select
        basis,
        formula,
        source,
        series,
        as_of,
        min(since) as since,
        max(total) filter (where framework = 'tensorflow') as tensorflow,
        max(total) filter (where framework != 'tensorflow') as rival,
        max(months_lacking) filter (where framework = 'tensorflow') as months_lacking,
        max(months_partial) as months_partial,
        -- Of equals, always the same one is named.
        arg_max(framework, struct_pack(total := total, framework := framework)) filter (
            where framework != 'tensorflow' and total is not null
        ) as rival_name,
        string_agg(framework, ', ' order by framework) filter (
            where total is null and framework in ('pytorch', 'keras', 'jax')
        ) as lacking
    from totals
    group by basis, formula, source, series, as_of
),

-- Without the month's own estimates, the last exact month stands in, if it is near.
exact as (
    select
        formula,
        series,
        as_of,
        tensorflow / nullif(rival, 0) as ratio,
        last_value(case when lacking is null then ratio end ignore nulls) over (
            partition by formula, series
            order by as_of range between interval 3 months preceding and current row
        ) as near_ratio
    from compared
    where basis = 'exact'
),

measured as (
    select
        published.formula,
        published.source,
        published.series,
        published.as_of,
        published.since,
        published.tensorflow / nullif(published.rival, 0) as value,
        case published.formula
            when 'questions in the month' then exact.near_ratio
            when 'questions over 12 months' then exact.ratio
            else value
        end as exact_value,
        cast(coalesce(published.tensorflow + published.rival, 0) as bigint) as n,
        published.tensorflow as numerator,
        published.rival as denominator,
        cast(published.months_lacking as bigint) as months_lacking,
        cast(published.months_partial as bigint) as months_partial,
        published.lacking,
        coalesce(
            case when populations.is_sample then populations.what end,
            exclusivity.cannot_decide,
            case when value is null then 'no figure of tensorflow, or none of another one to compare it with' end
        ) as cannot_decide,
        'the largest other one is ' || published.rival_name as note
    from compared as published
    left join exact
        on
            published.formula = exact.formula
            and published.series = exact.series
            and published.as_of = exact.as_of
    left join populations on published.source = populations.source and published.series = populations.population
    left join exclusivity
        on
            published.formula = 'models on the hub'
            and published.series = exclusivity.series
            and published.as_of = exclusivity.as_of
    where published.basis = 'published' and published.rival is not null
)

select * from measured
