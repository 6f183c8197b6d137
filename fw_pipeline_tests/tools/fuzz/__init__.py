"""Hostile bytes for every reader of the product: `python -m fw_pipeline_tests.fuzz [seconds] [names]`, or `make fuzz`.

A few of the same inputs are tried by every run of the tests, in `test_hostile_answers`.
"""
