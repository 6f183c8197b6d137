"""What each framework is called in every source: the one place for names from outside."""
