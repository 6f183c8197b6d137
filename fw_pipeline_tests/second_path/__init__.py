"""The verdicts computed a second time, from the recorded CSV files in plain Python and Polars, without any of the SQL.

So is what a measurement says beside its value: where it begins, which months lack or are partial, and the rest of it.
`golden/verdicts.csv` and `golden/headlines.csv` are written from here, by `python -m fw_pipeline_tests.second_path`,
and the published run must equal them. Nothing of the product is imported: what both paths share is the CSV files, and
the thresholds in the documents of the claims.
"""
