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
        sum(pytorch_languages) over last_year as pytorch_languages,
        sum(pytorch_languages) over last_year / sum(pytorch_all) over last_year as pytorch_share,
        sum(tensorflow_languages) over last_year / sum(tensorflow_all) over last_year as tensorflow_share,
        count(*) over last_year as months_found,
        min(month) over (partition by formula, series) as first_month
    from both_sides
    window
        last_year as (
            partition by formula, series
            order by month range between interval 11 months preceding and current row
        )
),

measured as (
    select
        formula,
        'stackoverflow' as source,
        series,
        as_of,
        cast(as_of - interval 11 months as date) as since,
        case when months_found >= 8 then pytorch_share / nullif(tensorflow_share, 0) end as value,
        cast(coalesce(pytorch_languages, 0) as bigint) as n,
        pytorch_share as numerator,
        tensorflow_share as denominator,
        case
            when months_found < 8 then 'fewer than 8 of the last 12 months have figures of both'
            when coalesce(tensorflow_share, 0) = 0 then 'no question on TensorFlow names another language'
        end as cannot_decide,
        12 - months_found as months_lacking
    from years
    where as_of >= first_month + interval 11 months
)

select * from measured
