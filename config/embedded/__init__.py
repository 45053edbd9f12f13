"""The engines that Parley brings along: PostgreSQL, Valkey and a model server, each from a Python wheel.

Each file here knows one engine: how it is initialised, its command line, its address and how to see that it is
ready. None of them starts anything for good: `config/up/` does, and `tests/engines.py` for the tests.
No Django here, so that a process that only minds engines stays small.
"""
