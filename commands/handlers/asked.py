"""What was typed after a subcommand of `/lapse-admin`, sorted to the options that it fills: the same from either form.

In words the order is free where it can be: `transfer Acme EU Ads to @ana`. Options can be named in words too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from commands.errors import CommandError
from commands.parsing import Arguments, Token, refusal, tokens_of, unknown
from commands.ports.chat import Options, Words
from commands.usage import LAPSE_ADMIN, Example, Usage
from commands.wording import clean

Sort = Callable[[list[Token]], Mapping[str, str]]
"""Says which words fill which option."""
SUBCOMMAND = "subcommand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The values of a subcommand's options, as they were typed."""

    form: Arguments
    command: Usage
    """With the subcommand's own example for a hint."""
    values: Mapping[str, str]

    def get(self, option: str) -> str | None:
        """What fills the option; None: nothing was said."""
        return self.values.get(option) or None

    def need(self, option: str, question: str) -> str:
        """What fills the option. Raises CommandError with a question where nothing does."""
        value = self.get(option)
        if value is None:
            raise self.refused(question)
        return value

    def refused(self, sentence: str) -> CommandError:
        """Say what is wrong, with an example of what can be typed."""
        return refusal(self.form, self.command, sentence)

    def unknown(self, words: str, known: Sequence[str], noun: str) -> CommandError:
        """Say that a word is not known, and what it is most like."""
        return unknown(self.form, self.command, words, known, noun=noun)


def subcommand_of(arguments: Arguments) -> str:
    """The subcommand's name, folded; empty where none was typed."""
    if isinstance(arguments, Options):
        return clean(arguments.values.get(SUBCOMMAND, "")).casefold()
    return clean(arguments.text).partition(" ")[0].casefold()


def read_asked(arguments: Arguments, options: Sequence[str], example: Example, sort: Sort) -> Asked:
    """Read the arguments of one subcommand. Raises CommandError."""
    command = replace(LAPSE_ADMIN, hints=(example,))
    if isinstance(arguments, Options):
        given: Arguments = Options(values={k: v for k, v in arguments.values.items() if k != SUBCOMMAND})
        tokens = tokens_of(given, options, command)
        return Asked(form=arguments, command=command, values={t.key: t.text for t in tokens if t.key is not None})
    tokens = tokens_of(Words(text=clean(arguments.text).partition(" ")[2]), options, command)
    named = {token.key: token.text for token in tokens if token.key is not None}
    bare = [token for token in tokens if token.key is None]
    return Asked(form=arguments, command=command, values={**(sort(bare) if bare else {}), **named})


def is_mention(token: Token) -> bool:
    """Whether the platform says that this is one of its users."""
    return not token.quoted and token.text.startswith("@") and len(token.text) > 1


def all_for(option: str) -> Sort:
    """Every word belongs to one option."""

    def sort(tokens: list[Token]) -> Mapping[str, str]:
        return {option: _joined(tokens)}

    return sort


def what_to_whom(what: str, whom: str) -> Sort:
    """`WHAT to WHOM`; without "to", where a user is mentioned or quotes tell them apart."""

    def sort(tokens: list[Token]) -> Mapping[str, str]:
        first, second = _halves(tokens, person_first=what == "person")
        return {option: _joined(half) for option, half in ((what, first), (whom, second)) if half}

    return sort


def ending_in(option: str, last: str, words: Sequence[str]) -> Sort:
    """`OPTION LAST`, where LAST is one of a few words or phrases."""

    def sort(tokens: list[Token]) -> Mapping[str, str]:
        for at in range(len(tokens)):
            if (ending := _joined(tokens[at:]).casefold()) in words:
                return {option: _joined(tokens[:at]).removesuffix(" to"), last: ending}
        return {option: _joined(tokens)}

    return sort


def name_and_email(tokens: list[Token]) -> Mapping[str, str]:
    """`NAME EMAIL`, in either order."""
    emails = [token.text for token in tokens if "@" in token.text[1:]]
    names = [token for token in tokens if "@" not in token.text[1:]]
    return {"name": _joined(names), "email": " ".join(emails).strip("<>,;")}


def _halves(tokens: list[Token], *, person_first: bool) -> tuple[list[Token], list[Token]]:
    to = [at for at, token in enumerate(tokens) if not token.quoted and token.text.casefold() == "to"]
    if to and to[-1] < len(tokens) - 1:  # at the beginning, what it is was named: client:Acme to …
        return tokens[: to[-1]], tokens[to[-1] + 1 :]
    if (len(tokens) > 1 and is_mention(tokens[-1])) or (len(tokens) == 2 and any(token.quoted for token in tokens)):
        return tokens[:-1], tokens[-1:]
    if is_mention(tokens[0]):
        return (tokens[:1], tokens[1:]) if person_first else (tokens[1:], tokens[:1])
    return tokens, []


def _joined(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)
