with figures as (
    select * from marts.figures_by_basis
    where
        -- scikit-learn is a yardstick there, not a deep learning framework.
        framework != 'scikit-learn'
        -- tensorflow itself pulls keras: downloads of keras are no rival of its own.
        and (framework != 'keras' or source != 'pypi')
        and measure in ('questions', 'downloads', 'family downloads', 'papers', 'repositories')
),

models as (
    select * from staging.huggingface
),

populations as (
    select * from meta.populations
),

-- Venues meet once a year: papers and repositories are those of the calendar year so far.
sums as (
    select
        *,
        case when count(figure) over last_year >= 8 then avg(figure) over last_year end as yearly,
        12 - count(figure) over last_year as months_lacking,
        sum(figure) over (partition by basis, measure, series, framework, year(month) order by month) as to_date
    from figures
    window
        last_year as (
            partition by basis, measure, series, framework
            order by month range between interval 11 months preceding and current row
        )
),

-- Models are known as they stood when somebody looked, and no earlier.
looks as (
    select distinct
        series,
        observed_month
    from models
),

named as (
    select unnest(['pytorch', 'tensorflow', 'jax', 'keras']) as framework
),

totals as (
    select
        basis,
        case measure
            when 'questions' then 'questions in the month'
            when 'downloads' then 'downloads of the package'
            else 'downloads of the family'
        end as formula,
        source,
        series,
        month,
        month as from_month,
        framework,
        figure as total,
        if(figure is null, 1, 0) as months_lacking,
        if(is_partial and figure is not null, 1, 0) as months_partial
    from sums
    where measure in ('questions', 'downloads', 'family downloads')
    union all
    select
        basis,
        'questions over 12 months' as formula,
        source,
        series,
        month,
        cast(month - interval 11 months as date) as from_month,
        framework,
        yearly as total,
        months_lacking,
        0 as months_partial
    from sums
    where measure = 'questions'
    union all
    select
        basis,
        measure || ' in the year' as formula,
        source,
        series,
        month,
        cast(date_trunc('year', month) as date) as from_month,
        framework,
        to_date as total,
        0 as months_lacking,
        count(*) filter (where is_partial) over this_year as months_partial
    from sums
    where measure in ('papers', 'repositories')
    window
        this_year as (
            partition by basis, measure, series, framework, year(month)
            order by month
        )
    union all
    select
        'published' as basis,
        'models on the hub' as formula,
        'huggingface' as source,
        looks.series,
        looks.observed_month as month,
        cast(null as date) as from_month,
        named.framework,
        -- The Hub's own count by tag has no sets of tags: there the tag stands in the place of the library.
        if(
            looks.series = 'hub, by tag',
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
    from looks
    cross join named
    inner join models on looks.series = models.series and looks.observed_month >= models.observed_month
    where models.formats is not null or models.series = 'hub, by tag'
    group by looks.series, looks.observed_month, named.framework
),

compared as (
    select
        basis,
        formula,
        source,
        series,
        month as as_of,
        min(from_month) as from_month,
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
    group by basis, formula, source, series, month
),

carried as (
    select
        *,
        -- Without the month's own estimates, the last exact month stands in, if it is near.
        case
            when basis = 'exact' and formula = 'questions in the month'
                then last_value(if(lacking is null, tensorflow / nullif(rival, 0), null) ignore nulls) over near
            else tensorflow / nullif(rival, 0)
        end as result
    from compared
    window
        near as (
            partition by basis, formula, series
            order by as_of range between interval 3 months preceding and current row
        )
),

measured as (
    select
        carried.formula,
        carried.source,
        carried.series,
        carried.as_of,
        min(carried.from_month) as since,
        max(carried.result) filter (where carried.basis = 'published') as value,
        max(carried.result) filter (
            where carried.basis = if(carried.source = 'stackoverflow', 'exact', 'published')
        ) as exact_value,
        cast(coalesce(
            max(carried.tensorflow + carried.rival) filter (where carried.basis = 'published'), 0
        ) as bigint) as n,
        max(carried.tensorflow) filter (where carried.basis = 'published') as numerator,
        max(carried.rival) filter (where carried.basis = 'published') as denominator,
        coalesce(
            any_value(populations.what) filter (where populations.is_sample),
            case
                when count(carried.result) filter (where carried.basis = 'published') = 0
                    then 'no figure of tensorflow, or none of another one to compare it with'
            end
        ) as cannot_decide,
        max(carried.months_lacking) filter (where carried.basis = 'published') as months_lacking,
        max(carried.months_partial) as months_partial,
        max(carried.lacking) filter (where carried.basis = 'published') as lacking,
        'the largest other one is ' || max(carried.rival_name) filter (where carried.basis = 'published') as note
    from carried
    left join populations on carried.source = populations.source and carried.series = populations.population
    group by carried.formula, carried.source, carried.series, carried.as_of
    having count(carried.rival) filter (where carried.basis = 'published') > 0
)

select * from measured
