"""Failures a user can mend. The command line prints their one sentence, without a traceback, and exits 2."""


class UserError(Exception):
    """What is wrong, where, and how to mend it, in one sentence."""


class Died(UserError):
    """A process that worked for us was killed, or crashed: what is committed stays, and another try may succeed."""
