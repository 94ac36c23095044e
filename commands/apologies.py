"""Answers to what a platform could not do, and no handler is asked for."""

from commands.messages import Message, say


def form_not_opened() -> Message:
    """A platform did not open a form: most take one only within seconds of the press."""
    return say("The form could not be opened, and nothing was changed. Please try that once more.")
