"""The `fw-pipeline` command: thin, over the same jobs that the UI launches. What is imported here registers itself."""

from fw_pipeline.cli import query_commands, run_commands
from fw_pipeline.cli.main import main

__all__ = ["main", "query_commands", "run_commands"]
