"""The `./channel` command: gets Odoo 19, PostgreSQL and the Python requirements, builds databases, serves, tests.

Only Python's standard library is used here, because this code runs before anything is installed.
"""
