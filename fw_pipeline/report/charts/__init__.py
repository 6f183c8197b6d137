"""The charts of the page, one module for each group, and the style that all share."""
