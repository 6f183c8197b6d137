with published as (
    select * from meta.published_figures
),

questions as (
    select * from marts.framework_metrics
    where source = 'stackoverflow' and metric = 'questions'
),

research as (
    select * from marts.research_adoption
),

exclusivity as (
    select * from marts.huggingface_exclusivity
    where denominator = 'pytorch or tensorflow' and not safetensors_is_pytorch and not jax_counts
),

downloads as (
    select * from marts.pypi_adoption
    where counted = 'package'
),

crossovers as (
    select * from marts.crossovers
    where metric = 'downloads_per_day' and leader = 'tensorflow' and challenger = 'pytorch'
),

-- The words of the published figures, and what is computed here for each.
metrics as (
    select
        words.metric,
        words.kind,
        words.one,
        words.other
    from (
        values
        ('stackoverflow questions tensorflow / pytorch', 'question ratio', 'tensorflow', 'pytorch'),
        ('stackoverflow questions tensorflow', 'questions', 'tensorflow', null),
        ('stackoverflow questions pytorch', 'questions', 'pytorch', null),
        ('stackoverflow questions keras', 'questions', 'keras', null),
        ('huggingface models pytorch only', 'exclusivity', 'pytorch only', null),
        ('huggingface models tensorflow only', 'exclusivity', 'tensorflow only', null),
        ('huggingface models usable in tensorflow', 'exclusivity', 'tensorflow', null),
        ('papers with code pytorch share of repositories', 'repositories', 'pytorch', null),
        ('papers with code tensorflow share of repositories', 'repositories', 'tensorflow', null),
        ('pytorch / (pytorch + tensorflow) papers at nine venues', 'venues', 'pytorch', 'pair'),
        ('pytorch / all papers at nine venues', 'venues', 'pytorch', 'all'),
        ('pypi downloads tensorflow / torch', 'downloads', 'tensorflow', 'pytorch'),
        ('first month pypi torch > tensorflow', 'crossover', 'tensorflow', 'pytorch')
    ) as words (metric, kind, one, other)
),

-- Why a figure may differ, or cannot be measured, in periods that reach a month. What is not here is unexplained.
known_reasons as (
    select
        reasons.kind,
        reasons.reaches,
        reasons.ends,
        reasons.reason
    from (
        values
        (
            'exclusivity',
            date '2015-11-01',
            date '9999-12-01',
            'date: the Hub keeps no past, so its models of that time can no longer be counted, and a model of today '
            'names other formats (safetensors) than one of then'
        ),
        (
            'repositories',
            date '2015-11-01',
            date '9999-12-01',
            'definition: the published figure is of the whole archive as it was then; a sample of it has few '
            'repositories in the period, and the whole of it was added to since'
        ),
        (
            'questions',
            date '2019-04-01',
            date '2020-03-01',
            'date: months from 2019-04 to 2020-03 were counted about 2020-04, the published figure later, when more of '
            'their questions had been deleted for being a year old (marts.drift)'
        ),
        (
            'questions',
            date '2020-04-01',
            date '9999-12-01',
            'date: from 2020-04 on months were counted soon after their end, the published figure later, when '
            'questions had been deleted (marts.drift)'
        ),
        (
            'question ratio',
            date '2015-11-01',
            date '9999-12-01',
            'date: the ratio fell through the year, and the published figure does not say of which months it is'
        ),
        (
            'downloads',
            date '2015-11-01',
            date '9999-12-01',
            'window: the published figure is of other thirty days, or counts other installers'
        )
    ) as reasons (kind, reaches, ends, reason)
),

-- Where a difference lies that nobody has explained.
located as (
    select
        places.metric,
        places.as_of,
        places.place
    from (
        values ('stackoverflow questions tensorflow', '2017', 'it lies in June to December 2017')
    ) as places (metric, as_of, place)
),

wanted as (
    select
        published.claim,
        published.metric,
        published.as_of,
        published.value,
        published.unit,
        published.tolerance,
        published.source as citation,
        published.computed_from,
        metrics.kind,
        metrics.one,
        metrics.other,
        case
            when published.as_of like '%-H2' then make_date(left(published.as_of, 4)::integer, 7, 1)
            when published.as_of like '%-H1' or length(published.as_of) = 4
                then make_date(left(published.as_of, 4)::integer, 1, 1)
            else (published.as_of || '-01')::date
        end as first_month,
        case
            when published.as_of like '%-H1' then make_date(left(published.as_of, 4)::integer, 6, 1)
            when published.as_of like '%-H2' or length(published.as_of) = 4
                then make_date(left(published.as_of, 4)::integer, 12, 1)
            else (published.as_of || '-01')::date
        end as last_month
    from published
    left join metrics on published.metric = metrics.metric
),

question_sums as (
    select
        wanted.metric,
        wanted.as_of,
        wanted.citation,
        questions.definition,
        any_value(questions.series) as series,
        any_value(wanted.other) is not null as is_ratio,
        datediff('month', any_value(wanted.first_month), any_value(wanted.last_month)) + 1 as months_wanted,
        count(questions.value) filter (where questions.framework = wanted.one) as months_found,
        count(questions.value) filter (where questions.framework = wanted.other) as others_found,
        sum(questions.value) filter (where questions.framework = wanted.one) as one,
        sum(questions.value) filter (where questions.framework = wanted.other) as other
    from wanted
    inner join questions
        on
            wanted.kind in ('questions', 'question ratio')
            and questions.month between wanted.first_month and wanted.last_month
    group by wanted.metric, wanted.as_of, wanted.citation, questions.definition
),

-- A sum counts only where every month of the period has a figure.
questions_measured as (
    select
        metric,
        as_of,
        citation,
        definition,
        series,
        case when is_ratio then one / nullif(other, 0) else one end as measured,
        null::bigint as n,
        false as is_sample
    from question_sums
    where months_found = months_wanted and (not is_ratio or others_found = months_wanted)
),

exclusivity_measured as (
    select
        wanted.metric,
        wanted.as_of,
        wanted.citation,
        'models with PyTorch or TensorFlow tags, ' || exclusivity.series as definition,
        exclusivity.series,
        case wanted.one
            when 'pytorch only' then exclusivity.pytorch_only_share
            when 'tensorflow only' then exclusivity.tensorflow_only_share
            else exclusivity.tensorflow_only_share + exclusivity.in_both_share
        end as measured,
        exclusivity.models as n,
        exclusivity.is_sample
    from wanted
    inner join exclusivity
        on
            wanted.kind = 'exclusivity'
            and exclusivity.scope = 'all that were seen'
            and exclusivity.known_from between wanted.first_month and wanted.last_month
),

research_measured as (
    select
        wanted.metric,
        wanted.as_of,
        wanted.citation,
        research.metric || ' of the ' || research.period || ', ' || research.series as definition,
        research.series,
        case
            when wanted.other = 'pair' then research.pytorch_of_pair
            when wanted.one = 'pytorch' then research.pytorch_of_all
            else research.tensorflow_of_all
        end as measured,
        case when wanted.other = 'pair' then research.pytorch + research.tensorflow else research.whole end as n,
        research.is_sample
    from wanted
    inner join research
        on
            research.scope = 'all'
            and wanted.first_month = research.starts
            and research.period = case when wanted.first_month = wanted.last_month then 'month' else 'year' end
            and (
                (wanted.kind = 'venues' and research.series = 'nine venues' and research.metric = 'papers')
                or (
                    wanted.kind = 'repositories'
                    and starts_with(research.series, 'papers with code')
                    and research.metric = 'repositories'
                )
            )
),

downloads_measured as (
    select
        wanted.metric,
        wanted.as_of,
        wanted.citation,
        'downloads per day of the package, ' || one.series as definition,
        one.series,
        one.downloads_per_day / nullif(other.downloads_per_day, 0) as measured,
        null::bigint as n,
        false as is_sample
    from wanted
    inner join downloads as one
        on wanted.kind = 'downloads' and wanted.one = one.framework and wanted.first_month = one.month
    inner join downloads as other
        on wanted.other = other.framework and one.month = other.month and one.series = other.series
),

-- A month is written as a number, YYYYMM, so that it fits the column; months apart are counted below.
crossover_measured as (
    select
        wanted.metric,
        wanted.as_of,
        wanted.citation,
        crossovers.definition,
        crossovers.series,
        (strftime(crossovers.crossed, '%Y%m'))::double as measured,
        null::bigint as n,
        false as is_sample
    from wanted
    inner join crossovers
        on
            wanted.kind = 'crossover'
            and starts_with(wanted.citation, split_part(split_part(crossovers.series, ',', 1), ' (', 1))
            and crossovers.crossed is not null
),

measured as (
    select * from questions_measured
    union all
    select * from exclusivity_measured
    union all
    select * from research_measured
    union all
    select * from downloads_measured
    union all
    select * from crossover_measured
),

compared as (
    select
        wanted.claim,
        wanted.metric,
        wanted.as_of,
        measured.definition,
        coalesce(wanted.value, strftime(wanted.first_month, '%Y%m')::double) as published,
        measured.measured,
        measured.n,
        sqrt(measured.measured * (1 - measured.measured) / nullif(measured.n, 0)) as standard_error,
        coalesce(measured.is_sample, false) as is_sample,
        coalesce(starts_with(measured.series, wanted.computed_from), false) as same_source,
        case when wanted.unit = 'month' then 'month (YYYYMM)' else wanted.unit end as unit,
        case
            when wanted.unit = 'month'
                then
                    12 * (floor(measured.measured / 100) - year(wanted.first_month))
                    + measured.measured % 100 - month(wanted.first_month)
            else measured.measured - wanted.value
        end as difference,
        coalesce(wanted.tolerance, 0) as tolerance,
        wanted.citation,
        wanted.kind,
        wanted.last_month
    from wanted
    left join measured
        on
            wanted.metric = measured.metric
            and wanted.as_of = measured.as_of
            and wanted.citation = measured.citation
            and measured.measured is not null
),

final as (
    select
        compared.claim,
        compared.metric,
        compared.as_of,
        compared.citation,
        compared.definition,
        compared.published,
        compared.measured,
        compared.n,
        compared.standard_error,
        compared.same_source,
        compared.unit,
        compared.difference,
        compared.tolerance,
        abs(compared.difference) <= compared.tolerance + 1e-9 as within_tolerance,
        case
            when abs(compared.difference) <= compared.tolerance + 1e-9 then null
            when compared.kind is null then 'nothing here measures this'
            when compared.is_sample and abs(compared.difference) <= compared.tolerance + 2 * compared.standard_error
                then 'sample: the difference is within two standard errors of a share of ' || compared.n
            when known_reasons.reason is not null then known_reasons.reason
            when compared.measured is null then 'the data hold no figure for that time'
            else concat_ws(': ', 'unexplained', located.place)
        end as reason
    from compared
    left join known_reasons
        on
            compared.kind = known_reasons.kind
            and compared.last_month between known_reasons.reaches and known_reasons.ends
    left join located on compared.metric = located.metric and compared.as_of = located.as_of
)

select * from final
