"""What goes wrong by no fault of the program's: told to the user in one line, without a stack trace."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(Exception):
    """Something the user can mend. The message says what is wrong and what to do about it."""
