with figures as (
    select * from marts.forecast_series
),

forecasts as (
    select * from marts.forecasts
    where made_as_of = date '2023-01-01'
),

errors as (
    select * from marts.forecast_errors
    where seen = 'then'
),

momentum as (
    select
        series,
        change,
        case measure when 'value' then 'questions on TensorFlow' else 'share of questions on TensorFlow' end as formula
    from marts.momentum
    where
        month = date '2023-01-01'
        and known_from <= date '2023-01-01'
        and source = 'stackoverflow'
        and framework = 'tensorflow'
        and metric = 'questions'
),

predictions as (
    select
        words.claim,
        words.prediction,
        words.rule
    from (
        values
        ('C8', 'it falls: 5 percent less than in the same month of the last known year, for each year', 'at most'),
        ('C8', 'it falls faster than in the year to January 2023', 'below'),
        ('C20', 'the gap closes: the ratio is above that of January 2023', 'above'),
        ('C25', 'PyTorch is ahead of TensorFlow', 'above')
    ) as words (claim, prediction, rule)
),

horizons as (
    select unnest([3, 6, 12, 18, 24]) as horizon
),

series as (
    select
        claim,
        formula,
        source,
        series,
        count(value) filter (where month <= date '2023-01-01') as months_known
    from figures
    group by claim, formula, source, series
),

spine as (
    select
        series.claim,
        predictions.prediction,
        predictions.rule,
        series.formula,
        series.source,
        series.series,
        series.months_known,
        horizons.horizon,
        ceil(horizons.horizon / 12) as years,
        (date '2023-01-01' + to_months(horizons.horizon))::date as month
    from series
    inner join predictions on series.claim = predictions.claim
    cross join horizons
),

-- The figure that the prediction is held against: known in January 2023, whatever the horizon.
held as (
    select
        spine.*,
        forecasts.forecast,
        forecasts.low,
        forecasts.high,
        forecasts.naive,
        came.value as measured,
        case
            when spine.claim = 'C25' then 1
            when spine.claim = 'C20' then base.value
            when spine.rule = 'at most' then season.value * pow(0.95, spine.years)
            else season.value * pow(1 + momentum.change, spine.years)
        end as threshold
    from spine
    left join forecasts
        on
            spine.claim = forecasts.claim
            and spine.formula = forecasts.formula
            and spine.series = forecasts.series
            and spine.horizon = forecasts.horizon
    left join figures as came
        on
            spine.claim = came.claim
            and spine.formula = came.formula
            and spine.series = came.series
            and spine.month = came.month
    left join figures as base
        on
            spine.claim = base.claim
            and spine.formula = base.formula
            and spine.series = base.series
            and base.month = date '2023-01-01'
    left join figures as season
        on
            spine.claim = season.claim
            and spine.formula = season.formula
            and spine.series = season.series
            and season.month = spine.month - to_months((12 * spine.years)::integer)
    left join momentum
        on
            spine.series = momentum.series
            and spine.formula = momentum.formula
),

judged as (
    select
        *,
        case
            when rule = 'above' then forecast > threshold
            when rule = 'below' then forecast < threshold
            else forecast <= threshold
        end as forecast_says_so,
        case
            when rule = 'above' then measured > threshold
            when rule = 'below' then measured < threshold
            else measured <= threshold
        end as came_true,
        low <= threshold and threshold <= high as is_open
    from held
),

final as (
    select
        judged.claim,
        judged.prediction,
        judged.formula,
        judged.source,
        judged.series,
        date '2023-01-01' as made_as_of,
        judged.horizon::bigint as horizon,
        judged.month,
        judged.rule,
        round(judged.threshold, 9) as threshold,
        judged.forecast,
        judged.low,
        judged.high,
        judged.naive,
        judged.measured,
        judged.forecast_says_so,
        judged.is_open,
        judged.came_true,
        case
            when judged.forecast_says_so is null or judged.came_true is null then 'cannot be told'
            when judged.forecast_says_so = judged.came_true then 'called'
            else 'not called'
        end as answer,
        case
            when judged.series = 'no series' then 'no series has figures of both sides'
            when judged.forecast is null
                then
                    'no forecast could be made: by January 2023 ' || judged.months_known
                    || ' months had a figure, 24 are needed'
            when judged.threshold is null then 'the figure that it would be held against is missing'
            when judged.measured is null
                then
                    'the forecast says ' || if(judged.forecast_says_so, 'yes', 'no') || '; ' || judged.series
                    || ' has no figure for ' || strftime(judged.month, '%Y-%m')
            else
                'the forecast says ' || if(judged.forecast_says_so, 'yes', 'no')
                || case
                    when judged.is_open then ', and its interval leaves it open'
                    when judged.low is null then ', without an interval'
                    else ', and so does its whole interval'
                end
                || if(judged.came_true, '; it came true', '; it did not come true by then')
                || if(errors.naive_is_better, '. By then the last known figure had come nearer than such forecasts', '')
        end as why,
        errors.forecasts as forecasts_tested,
        errors.smape,
        errors.naive_smape,
        errors.naive_is_better,
        errors.intervals as intervals_tested,
        errors.within_interval
    from judged
    left join errors
        on
            judged.claim = errors.claim
            and judged.formula = errors.formula
            and judged.series = errors.series
            and judged.horizon = errors.horizon
)

select * from final
