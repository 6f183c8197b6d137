"""How Celery's workers work; Dagster's worker program looks for a module of this name on its path."""

from __future__ import annotations

import os

broker_url = os.environ["CELERY_BROKER_URL"]
result_backend = os.environ["CELERY_RESULT_BACKEND"]

# A worker takes a run when it is free to execute it, so that none waits behind another.
worker_concurrency = 1
worker_prefetch_multiplier = 1
worker_disable_prefetch = True

# While the broker is away, workers try it again until it answers, and continue the run that they execute.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
worker_cancel_long_running_tasks_on_connection_loss = False

# Longer than any run takes: a run that is handed out a second time would be taken for one that was restarted.
broker_transport_options = {"visibility_timeout": 24 * 3600}

# Each run has a process of its own, as in the UI of one machine: nothing is left of the last one.
worker_max_tasks_per_child = 1
