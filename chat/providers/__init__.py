"""The services that answer: one small interface (base.py) and the kinds of service that speak it."""
