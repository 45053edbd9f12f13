"""Why something could not be started, in words for the person at the shell."""


class Trouble(Exception):
    """One line that says what is wrong and what to do; shown as it stands, without a traceback."""
