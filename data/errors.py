"""Failures a user can mend. The command line prints their one sentence, without a traceback, and exits 2."""


class UserError(Exception):
    """What is wrong, where, and how to mend it, in one sentence."""
