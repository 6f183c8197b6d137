"""The pieces of polite HTTP, below `fw_pipeline.web`: one exchange, its answer, its faults, the pace, the redaction.

Nothing here knows a source. Providers import from `fw_pipeline.web`, never from here.
"""
