"""`manage.py up`: the whole product by one command.

house.py is the sequence; each other file is one thing it needs. The parent process imports neither Django nor the
application: it minds processes, and stays small and quick to start.
"""
