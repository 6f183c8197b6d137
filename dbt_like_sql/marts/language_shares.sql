with questions as (
    select * from staging.stackoverflow
),

tags as (
    select * from meta.tags
    where framework in ('pytorch', 'tensorflow')
),

-- Interpolated questions are left out: the language tags are too small for estimates.
tagged as (
    select
        questions.series,
        questions.month,
        tags.framework,
        tags.role,
        contains(questions.tagged, ';') as is_pair,
        questions.tagged,
        case when not coalesce(questions.is_estimated, false) then questions.questions end as questions
    from questions
    inner join tags on questions.tagged = tags.tagged
    where tags.role in ('core', 'language')
),

-- Both sides must be asked about the same languages in the month, or the month counts for neither.
months as (
    select
        series,
        month,
        framework,
        sum(questions) filter (where role = 'core') as everything,
        sum(questions) filter (where role = 'language' and is_pair) as pairs,
        sum(questions) filter (where role = 'language') as pairs_and_own_tags,
        list_sort(list(split_part(tagged, ';', 2)) filter (
            where role = 'language' and is_pair and questions is not null
        )) as languages
    from tagged
    group by series, month, framework
),

both_sides as (
    select
        pytorch.series,
        pytorch.month,
        unnest(['languages in pairs of tags', 'languages in pairs and tags of their own']) as formula,
        unnest([pytorch.pairs, pytorch.pairs_and_own_tags]) as pytorch_languages,
        unnest([tensorflow.pairs, tensorflow.pairs_and_own_tags]) as tensorflow_languages,
        pytorch.everything as pytorch_all,
        tensorflow.everything as tensorflow_all
    from months as pytorch
    inner join months as tensorflow
        on
            pytorch.series = tensorflow.series
            and pytorch.month = tensorflow.month
            and tensorflow.framework = 'tensorflow'
            and pytorch.languages = tensorflow.languages
    where pytorch.framework = 'pytorch' and pytorch.everything > 0 and tensorflow.everything > 0
),

years as (
    select
        formula,
        series,
        month as as_of,
        cast(month - interval 11 months as date) as since,
        sum(pytorch_languages) over last_year as pytorch_languages,
        sum(tensorflow_languages) over last_year as tensorflow_languages,
        sum(pytorch_all) over last_year as pytorch_all,
        sum(tensorflow_all) over last_year as tensorflow_all,
        0 as pytorch_hidden,
        0 as tensorflow_hidden,
        count(*) over last_year as months_found,
        min(month) over (partition by formula, series) as first_month
    from both_sides
    window
        last_year as (
            partition by formula, series
            order by month range between interval 11 months preceding and current row
        )
),

totals as (
    select
        totals.origin as series,
        cast(date_trunc('month', totals.observed_on) as date) as as_of,
        tags.framework,
        tags.role,
        split_part(totals.tagged, ';', 2) as language,
        totals.side,
        totals.questions
    from meta.question_totals as totals
    inner join tags on totals.tagged = tags.tagged
    where totals.asked_from is null and tags.role in ('core', 'language') and totals.side in ('exact', 'at most')
),

-- The languages of which both sides are known, if only by an upper bound.
sides_so_far as (
    select
        totals.series,
        totals.as_of,
        totals.framework,
        sum(totals.questions) filter (where totals.role = 'core' and totals.side = 'exact') as everything,
        sum(totals.questions) filter (where totals.language != '' and totals.side = 'exact') as pairs,
        sum(totals.questions) filter (where totals.language != '' and totals.side = 'at most') as hidden,
        sum(totals.questions) filter (where totals.role = 'language' and totals.language = '') as own_tags
    from totals
    where
        totals.language = ''
        or exists (
            select 1 from totals as other
            where
                totals.series = other.series
                and totals.as_of = other.as_of
                and totals.language = other.language
                and totals.framework != other.framework
        )
    group by totals.series, totals.as_of, totals.framework
),

so_far as (
    select
        unnest(['languages in pairs of tags so far', 'languages in pairs and tags of their own so far']) as formula,
        pytorch.series,
        pytorch.as_of,
        date '2015-11-01' as since,
        pytorch.pairs + unnest([0, pytorch.own_tags]) as pytorch_languages,
        tensorflow.pairs + unnest([0, tensorflow.own_tags]) as tensorflow_languages,
        pytorch.everything as pytorch_all,
        tensorflow.everything as tensorflow_all,
        coalesce(pytorch.hidden, 0) as pytorch_hidden,
        coalesce(tensorflow.hidden, 0) as tensorflow_hidden,
        12 as months_found
    from sides_so_far as pytorch
    inner join sides_so_far as tensorflow
        on
            pytorch.series = tensorflow.series
            and pytorch.as_of = tensorflow.as_of
            and tensorflow.framework = 'tensorflow'
    where pytorch.framework = 'pytorch' and pytorch.pairs is not null and tensorflow.pairs is not null
),

final as (
    select * exclude (first_month) from years
    -- Eight of the twelve months are enough, also of a series that is no older.
    where as_of >= first_month + interval 7 months
    union all by name
    select * from so_far
)

select
    formula,
    series,
    as_of,
    since,
    cast(pytorch_languages as bigint) as pytorch_languages,
    cast(tensorflow_languages as bigint) as tensorflow_languages,
    cast(pytorch_all as bigint) as pytorch_all,
    cast(tensorflow_all as bigint) as tensorflow_all,
    cast(pytorch_hidden as bigint) as pytorch_hidden,
    cast(tensorflow_hidden as bigint) as tensorflow_hidden,
    months_found
from final
