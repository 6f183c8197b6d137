"""Evidence for claims about deep-learning frameworks, month by month, in one DuckDB file."""
