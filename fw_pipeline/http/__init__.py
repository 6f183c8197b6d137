"""The pieces of polite HTTP, below `fw_pipeline.http.client`: transport, responses, faults, pace, redaction.

Nothing here knows a source. Providers import from `fw_pipeline.http.client`, never from here.
"""
