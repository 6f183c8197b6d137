"""The `fw-pipeline` command: thin, over the same jobs that the UI launches. What is imported here registers itself."""

from fw_pipeline.cli import questions, runs, user_interface
from fw_pipeline.cli.group import main

__all__ = ["main", "questions", "runs", "user_interface"]
