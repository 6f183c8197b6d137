"""Errors of this package become one line each in Dagster; a defect keeps its traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dagster import (
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    Definitions,
    Failure,
    Output,
    asset,
    define_asset_job,
    materialize,
)

from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.failures import failure_lines, plain_failures, was_interrupted
from fw_pipeline.orchestration.runs import run_job

ONE = PipelineError("pypi", "no answer", "run again")
OTHER = PipelineError("papers", "no answer", "run again")


def step(error: Exception) -> Callable[[], None]:
    @plain_failures
    def fails() -> None:
        raise error

    return fails


def generator(error: Exception) -> Callable[[], list[int]]:
    @plain_failures
    def fails() -> Iterator[int]:
        yield 1
        raise error

    return lambda: list(fails())


@pytest.mark.parametrize("shape", [step, generator])
def test_one_error_or_a_group_of_them_is_a_line_for_each(shape: Callable[[Exception], Callable[[], object]]) -> None:
    for error, lines in ((ONE, [ONE]), (ExceptionGroup("failed", [ONE, OTHER, ONE]), [ONE, OTHER])):
        with pytest.raises(Failure) as failed:
            shape(error)()
        assert failed.value.description == "\n".join(map(str, lines))
        assert failed.value.__cause__ is None
        assert not failed.value.allow_retries


@pytest.mark.parametrize("shape", [step, generator])
@pytest.mark.parametrize("defect", [ValueError("wrong"), ExceptionGroup("failed", [ONE, ValueError("wrong")])])
def test_a_defect_passes_as_it_is(shape: Callable[[Exception], Callable[[], object]], defect: Exception) -> None:
    with pytest.raises(type(defect)) as raised:
        shape(defect)()
    assert raised.value is defect


@asset
@plain_failures
def refused() -> Iterator[Output[int]]:
    """A step of a run: Dagster takes the decorated function for what it is."""
    yield Output(1)
    raise ExceptionGroup("failed", [ONE, OTHER])


def test_a_run_says_each_line_and_a_defect_asks_to_be_reported() -> None:
    @asset
    @plain_failures
    def wrong() -> None:
        raise KeyError("gone")

    definitions = Definitions([refused, wrong], jobs=[define_asset_job("build")])
    with DagsterInstance.ephemeral() as instance:
        ran = run_job(definitions, "build", instance=instance)
    assert not ran.succeeded
    report = "wrong: KeyError: 'gone'; this is a defect of fw-pipeline: please report it with this line"
    assert sorted(ran.failures) == [str(OTHER), str(ONE), report]


def test_what_failed_because_somebody_stopped_it_was_stopped() -> None:
    @asset
    def stopped() -> None:
        raise RuntimeError("a query ended") from DagsterExecutionInterruptedError()

    @asset
    def broken() -> None:
        raise RuntimeError("a query ended") from ValueError("by itself")

    for one, was_stopped in ((stopped, True), (broken, False)):
        result = materialize([one], raise_on_error=False)
        (event,) = (it for it in result.all_events if it.event_type is DagsterEventType.STEP_FAILURE)
        assert was_interrupted(event) == was_stopped
        assert ("interrupted" in failure_lines([event])[0]) == was_stopped
