"""A clock for jailed programs that is the same in every run: a millisecond passes at each reading, a sleep at once.

Patches `time` and `datetime` of the process it is called in. Not here: the limits, which go by the kernel's clocks.
"""

import datetime
import time
from typing import Any

STEP = 0.001  # seconds per reading


def fix(start: float) -> None:
    """From here on the time is `start` (seconds since 1970, UTC) and goes on by itself."""
    now = [start]

    def read() -> float:
        now[0] += STEP
        return now[0]

    def sleep(seconds: Any) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        now[0] += seconds

    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, read)
        setattr(time, name + "_ns", lambda: int(read() * 1e9))
    time.sleep = sleep
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _at(getattr(time, name), read))
    _fix_dates(read)


def _at(convert: Any, read: Any) -> Any:
    """`convert`, with `read()` for a time that is not given."""
    return lambda seconds=None: convert(read() if seconds is None else seconds)


class _Known(type):
    """Instances of a class with this are those of its base, as before."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])


def _fix_dates(read: Any) -> None:
    class Date(datetime.date, metaclass=_Known):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(read())

    class DateTime(datetime.datetime, metaclass=_Known):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(read(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(read())

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(read(), datetime.UTC).replace(tzinfo=None)

    for kind, name in ((Date, "date"), (DateTime, "datetime")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
        setattr(datetime, name, kind)
