"""How figures come in: who is asked, what is kept, what is rejected, what becomes a vintage. Free of Dagster."""
