"""What the pipeline is compared with, as programs of `.venv-bench`: nothing here imports anything of the product."""
