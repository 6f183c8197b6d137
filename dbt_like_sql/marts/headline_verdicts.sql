with verdicts as (
    select * from marts.verdicts
),

claims as (
    select * from meta.claims
),

definitions as (
    select * from meta.definitions
    where headline
),

closed_months as (
    select * from meta.months
),

papers as (
    select * from staging.papers
),

series_order as (
    select * from meta.headline_series
),

halves as (
    select
        claims.claim,
        count(*) filter (where definitions.due is null) as present_formulas,
        count(*) filter (where definitions.due is not null) as ahead_formulas
    from claims
    left join definitions on claims.claim = definitions.claim
    group by claims.claim
),

-- Who could supply more: the sources of the headline.
askable as (
    select
        claim,
        string_agg(distinct name, ' or ' order by name) as names
    from (
        select
            claim,
            case source
                when 'stackoverflow' then 'Stack Overflow'
                when 'pypi' then 'PyPI'
                when 'huggingface' then 'the Hugging Face Hub'
                when 'papers' then 'papers'
                when 'authors' then 'papers with their authors (the archive)'
            end as name
        from verdicts
        where headline
    ) as names_of_sources
    where name is not null
    group by claim
),

-- A claim of which no source of the headline has any figure names all that could measure it.
listed as (
    select
        claim,
        array_to_string(
            list_sort(list_intersect(source_list, ['huggingface', 'papers', 'pypi', 'stackoverflow'])), ' or '
        )
            as names
    from claims
    where
        not exists (
            select 1 from verdicts
            where verdicts.claim = claims.claim and verdicts.headline and verdicts.source is not null
        )
),

wanted as (
    select
        claims.claim,
        claims.title,
        claims.kind,
        claims.reason,
        claims.source_list,
        claims.all_must_hold,
        closed_months.month as as_of
    from claims
    cross join closed_months
),

-- A paper may be out before the month that it is counted in: figures are as old as what they tell.
newest_papers as (
    select
        'papers' as source,
        series,
        month,
        max(max(least(month, cast(date_trunc('month', observed_on) as date)))) over (
            partition by series
            order by month
        ) as known
    from papers
    group by series, month
),

ranked as (
    select
        verdicts.claim,
        verdicts.definition,
        verdicts.formula,
        verdicts.series,
        verdicts.source,
        verdicts.as_of,
        coalesce(newest_papers.known, verdicts.as_of) as measured,
        verdicts.verdict,
        verdicts.headline,
        verdicts.due is not null as is_ahead,
        verdicts.sentence,
        verdicts.takes,
        verdicts.leans_on_gap,
        coalesce(verdicts.drift_flips, false) as drift_flips,
        min(series_order.rank) as rank
    from verdicts
    asof left join newest_papers
        on
            verdicts.source = newest_papers.source
            and verdicts.series = newest_papers.series
            and verdicts.as_of >= newest_papers.month
    left join series_order
        on
            verdicts.source = series_order.source
            and ends_with(series_order.definition, ', ' || verdicts.series)
    where verdicts.verdict in ('supported', 'refuted', 'not_yet', 'came_true')
    group by all
),

measurements as (
    select distinct
        claim,
        definition
    from verdicts
    where as_of is not null
),

-- What each definition said last, at or before the month: a later gap erases nothing.
latest as (
    select
        wanted.claim,
        wanted.as_of,
        measurements.definition,
        ranked.formula,
        ranked.series,
        ranked.source,
        ranked.measured,
        ranked.verdict,
        ranked.headline,
        ranked.is_ahead,
        ranked.sentence,
        ranked.takes,
        ranked.leans_on_gap,
        ranked.drift_flips,
        ranked.rank,
        -- What has no series is a date, not a figure that somebody counts: a date does not age.
        case when ranked.series is null then 0 else datediff('month', ranked.measured, wanted.as_of) end as age
    from wanted
    inner join measurements on wanted.claim = measurements.claim
    asof inner join ranked
        on
            measurements.claim = ranked.claim
            and measurements.definition = ranked.definition
            and wanted.as_of >= ranked.as_of
),

-- After two years a figure says what was, not what is.
current_ones as (
    select * from latest
    where age <= 24
),

-- Of the series of a source, the newest figure decides; of equally new ones, the first in order.
chosen as (
    select * from current_ones
    qualify
        row_number() over (
            partition by claim, as_of, source, formula
            order by measured desc, rank asc nulls last, series asc
        ) = 1
),

-- One vote a source, however many definitions it is measured by.
votes as (
    select
        claim,
        as_of,
        source,
        is_ahead,
        if(count(distinct verdict) = 1, any_value(verdict), 'mixed') as vote,
        count(*) filter (where verdict = 'supported') as supporting,
        bool_or(verdict = 'refuted') as refutes,
        bool_and(series is null) as is_dated,
        max(measured) as measured,
        min(age) as age,
        string_agg(
            sentence || ' (' || case source
                when 'stackoverflow' then 'Stack Overflow, '
                when 'pypi' then 'PyPI, '
                when 'huggingface' then 'Hugging Face Hub, '
                when 'papers' then 'papers, '
                when 'authors' then 'authors of papers, '
                when 'projects' then 'projects on GitHub, '
                else ''
            end || strftime(measured, '%B %Y') || '; needed: ' || takes || ')', ', and ' order by formula
        ) as said
    from chosen
    where headline
    group by claim, as_of, source, is_ahead
),

tallies as (
    select
        claim,
        as_of,
        is_ahead,
        if(count(distinct vote) = 1, any_value(vote), 'mixed') as agreed,
        bool_and(is_dated) as is_dated,
        sum(supporting) as supporting,
        bool_or(refutes) as refutes,
        max(measured) as measured,
        min(age) as age,
        list(source order by source) filter (where vote in ('supported', 'came_true')) as sources_for,
        list(source order by source) filter (where vote = 'refuted') as sources_against,
        list(source order by source) filter (where vote = 'mixed') as sources_mixed,
        string_agg(said, '; ' order by source) as said
    from votes
    group by claim, as_of, is_ahead
),

-- Left out alone, would the other sources say something else?
left_out as (
    select
        votes.claim,
        votes.as_of,
        votes.is_ahead,
        votes.source,
        case count(distinct others.vote) when 1 then any_value(others.vote) when 0 then 'nothing' else 'mixed' end
            as without_it
    from votes
    left join votes as others
        on
            votes.claim = others.claim
            and votes.as_of = others.as_of
            and votes.is_ahead = others.is_ahead
            and votes.source != others.source
    group by votes.claim, votes.as_of, votes.is_ahead, votes.source
),

hanging as (
    select
        left_out.claim,
        left_out.as_of,
        left_out.is_ahead,
        list(left_out.source order by left_out.source) as hangs_on
    from left_out
    inner join tallies
        on
            left_out.claim = tallies.claim
            and left_out.as_of = tallies.as_of
            and left_out.is_ahead = tallies.is_ahead
            and left_out.without_it != tallies.agreed
    group by left_out.claim, left_out.as_of, left_out.is_ahead
),

camps as (
    select
        latest.claim,
        latest.as_of,
        list(latest.definition order by latest.definition) filter (
            where latest.age <= 24 and latest.verdict in ('supported', 'came_true')
        ) as definitions_for,
        list(latest.definition order by latest.definition) filter (
            where latest.age <= 24 and latest.verdict in ('refuted', 'not_yet')
        ) as definitions_against,
        list(latest.definition order by latest.definition) filter (where latest.age <= 24 and latest.drift_flips)
            as drift_flips,
        list(latest.definition order by latest.definition) filter (where latest.age <= 24 and latest.leans_on_gap)
            as leans_on_gap
    from latest
    group by latest.claim, latest.as_of
),

-- Definitions that were measured by the month and do not decide, or no longer.
undecided as (
    select
        wanted.claim,
        wanted.as_of,
        list(distinct verdicts.definition order by verdicts.definition) as definitions_undecided
    from wanted
    inner join verdicts on wanted.claim = verdicts.claim and wanted.as_of >= verdicts.as_of
    left join current_ones
        on
            wanted.claim = current_ones.claim
            and wanted.as_of = current_ones.as_of
            and verdicts.definition = current_ones.definition
    where current_ones.definition is null
    group by wanted.claim, wanted.as_of
),

-- What stands in the way, told by the newest measurement of the headline.
obstacles as (
    select
        wanted.claim,
        wanted.as_of,
        arg_max(
            concat_ws('; ', verdicts.sentence, verdicts.obstacle)
            || if(verdicts.value is null, '', ' (' || strftime(verdicts.as_of, '%B %Y') || ')'),
            struct_pack(
                is_whole := verdicts.cannot_decide is null,
                has_value := verdicts.value is not null,
                as_of := verdicts.as_of,
                name := verdicts.definition
            )
        ) as obstacle
    from wanted
    inner join verdicts
        on
            wanted.claim = verdicts.claim
            and wanted.as_of >= verdicts.as_of
            and verdicts.headline
            and verdicts.verdict = 'insufficient_data'
    group by wanted.claim, wanted.as_of
),

-- What other measures say, told where it is something else.
witnesses as (
    select
        claim,
        as_of,
        arg_min(verdict, struct_pack(age := age, rank := coalesce(rank, 99), formula := formula)) as vote,
        arg_min(
            sentence || ' (' || strftime(measured, '%B %Y') || ')',
            struct_pack(age := age, rank := coalesce(rank, 99), formula := formula)
        ) as said,
        source
    from chosen
    where not headline and sentence is not null
    group by claim, as_of, source
),

judged as (
    select
        wanted.*,
        coalesce(halves.present_formulas, 0) > 0 as has_present,
        coalesce(halves.ahead_formulas, 0) > 0 as has_ahead,
        case
            when wanted.kind = 'not_measurable' then 'not_measurable'
            when present.agreed is null then 'insufficient_data'
            -- Dated facts do not age: alone they decide only where the claim is judged by nothing else.
            when present.is_dated and len(wanted.source_list) > 1 then 'insufficient_data'
            when not wanted.all_must_hold then present.agreed
            when present.refutes then 'refuted'
            when present.supporting = halves.present_formulas then 'supported'
            else 'insufficient_data'
        end as present_verdict,
        coalesce(ahead.agreed, 'insufficient_data') as ahead_agreed,
        if(has_present, present.measured, ahead.measured) as newest,
        if(has_present, present.age, ahead.age) as age,
        coalesce(if(has_present, present.sources_for, ahead.sources_for), []) as sources_for,
        coalesce(if(has_present, present.sources_against, ahead.sources_against), []) as sources_against,
        coalesce(if(has_present, present.sources_mixed, ahead.sources_mixed), []) as sources_mixed,
        coalesce(if(has_present, present_hanging.hangs_on, ahead_hanging.hangs_on), []) as hangs_on,
        present.said as present_said,
        ahead.said as ahead_said,
        ahead.measured as ahead_measured
    from wanted
    left join halves on wanted.claim = halves.claim
    left join tallies as present
        on wanted.claim = present.claim and wanted.as_of = present.as_of and not present.is_ahead
    left join tallies as ahead
        on wanted.claim = ahead.claim and wanted.as_of = ahead.as_of and ahead.is_ahead
    left join hanging as present_hanging
        on
            wanted.claim = present_hanging.claim
            and wanted.as_of = present_hanging.as_of
            and not present_hanging.is_ahead
    left join hanging as ahead_hanging
        on wanted.claim = ahead_hanging.claim and wanted.as_of = ahead_hanging.as_of and ahead_hanging.is_ahead
),

halved as (
    select
        *,
        if(has_present or kind = 'not_measurable', present_verdict, ahead_agreed) as verdict,
        case when has_ahead then ahead_agreed end as ahead_verdict,
        case when verdict not in ('insufficient_data', 'not_measurable') then newest end as measured,
        case when verdict not in ('insufficient_data', 'not_measurable') then age end as stale_months
    from judged
),

-- Verdicts that a month had, kept for the months after it in which there is none.
carried as (
    select
        *,
        last_value(if(verdict = 'insufficient_data', null, verdict) ignore nulls) over so_far as carried_verdict,
        last_value(if(verdict = 'insufficient_data', null, measured) ignore nulls) over so_far as carried_measured,
        last_value(if(verdict = 'insufficient_data', null, coalesce(present_said, ahead_said)) ignore nulls) over so_far
            as carried_said,
        count(*) filter (where ahead_verdict in ('not_yet', 'refuted', 'mixed')) over so_far as run
    from halved
    window so_far as (
        partition by claim
        order by as_of
    )
),

told as (
    select
        carried.*,
        min(carried.ahead_measured) filter (where carried.ahead_verdict = 'came_true') over (
            partition by carried.claim, carried.run
            order by carried.as_of
        ) as came_true_since,
        (
            select
                string_agg(
                    case witnesses.source
                        when 'stackoverflow' then 'Stack Overflow'
                        when 'pypi' then 'PyPI'
                        when 'huggingface' then 'the Hugging Face Hub'
                        else witnesses.source
                    end || ': ' || witnesses.said, '; ' order by witnesses.source
                )
            from witnesses
            where
                carried.claim = witnesses.claim
                and carried.as_of = witnesses.as_of
                and coalesce(nullif(carried.verdict, 'insufficient_data'), carried.carried_verdict, 'none')
                not in (witnesses.vote, 'mixed')
        ) as dissent
    from carried
),

final as (
    select
        told.claim,
        told.title,
        told.as_of,
        told.verdict,
        told.measured,
        told.stale_months,
        told.ahead_verdict,
        case when told.ahead_verdict = 'came_true' then told.came_true_since end as came_true_since,
        told.carried_verdict,
        told.carried_measured,
        rtrim(concat(
            case told.verdict
                when 'not_measurable' then coalesce(told.reason, 'None of the sources can measure it')
                when 'insufficient_data'
                    then
                        concat(
                            'No verdict: ',
                            coalesce(
                                'the last figures that decide are of ' || strftime(told.carried_measured, '%B %Y')
                                || ', when it was ' || told.carried_verdict || ': ' || told.carried_said,
                                obstacles.obstacle,
                                'nothing was measured by then'
                            ),
                            '. A live fetch of '
                            || coalesce(askable.names, nullif(listed.names, ''))
                            || ' would supply more'
                        )
                when 'mixed' then 'Mixed: ' || coalesce(told.present_said, told.ahead_said)
                when 'supported' then 'Supported: ' || told.present_said
                when 'refuted' then 'Refuted: ' || coalesce(told.present_said, told.ahead_said)
                when 'not_yet' then 'Not yet: ' || told.ahead_said
                when 'came_true'
                    then 'Came true, since ' || strftime(told.came_true_since, '%B %Y') || ': ' || told.ahead_said
            end,
            case
                when told.has_present and told.has_ahead and told.ahead_said is null
                    then '. Nothing recent enough decides on the prediction'
                when told.has_present and told.has_ahead
                    then
                        '. The prediction ' || case told.ahead_verdict
                            when 'came_true' then 'came true, since ' || strftime(told.came_true_since, '%B %Y')
                            when 'not_yet' then 'has not come true yet'
                            when 'refuted' then 'did not come true in time'
                            else 'is mixed'
                        end || ': ' || told.ahead_said
            end,
            if(told.carried_verdict is null, '. What is known: ', '. Other measures say otherwise: ') || told.dissent,
            case when told.kind = 'measured' then '. ' || told.reason end
        ), '. ') || '.' as why,
        told.sources_for,
        told.sources_against,
        told.sources_mixed,
        coalesce(camps.definitions_for, []) as definitions_for,
        coalesce(camps.definitions_against, []) as definitions_against,
        coalesce(undecided.definitions_undecided, []) as definitions_undecided,
        -- Judged by one of these alone, the claim gets another verdict.
        case
            when told.verdict in ('supported', 'came_true') then coalesce(camps.definitions_against, [])
            when told.verdict in ('refuted', 'not_yet') then coalesce(camps.definitions_for, [])
            when told.verdict = 'not_measurable' then []
            else list_sort(list_concat(camps.definitions_for, camps.definitions_against))
        end as flipped_by,
        told.hangs_on,
        coalesce(camps.drift_flips, []) as drift_flips,
        coalesce(camps.leans_on_gap, []) as leans_on_gap
    from told
    left join camps on told.claim = camps.claim and told.as_of = camps.as_of
    left join undecided on told.claim = undecided.claim and told.as_of = undecided.as_of
    left join obstacles on told.claim = obstacles.claim and told.as_of = obstacles.as_of
    left join askable on told.claim = askable.claim
    left join listed on told.claim = listed.claim
)

select * from final
