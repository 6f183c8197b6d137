"""Small defects in the code, to see whether a test notices: `make mutate`.

No tool does this for the SQL, where most of the logic of the claims is; and of the tools for Python, those that fork
leave out what is decorated, which is every context of the warehouse. So both are done here, in the same way.
"""
