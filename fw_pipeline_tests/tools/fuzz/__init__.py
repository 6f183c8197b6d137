"""Hostile bytes for every reader of the product: `make fuzz FUZZ="[seconds] [names]"`.

A few of the same inputs are tried by every run of the tests, in `test_hostile_answers`.
"""
