"""Answers to what a platform could not do, and no handler is asked for."""

from commands.messages import Message, say


def form_too_late() -> Message:
    """A platform opens a form only within seconds of the press, and they were over."""
    return say("The form could not be opened in time, and nothing was changed. Please try that once more.")
