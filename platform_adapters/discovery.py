"""Finds the adapters that are there. Adding one is adding its folder or file; nothing else is edited."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TypeVar

from commands.errors import SettingError
from commands.messages import Message
from commands.ports.chat import ChatPlatform, Surroundings
from commands.ports.clock import Clock
from commands.ports.network import Network, NetworkSpec
from commands.ports.signals import Signals
from platform_adapters.networks.declared import SETTING as NETWORKS_FILE

_Adapter = TypeVar("_Adapter")
_Given = TypeVar("_Given")

Wrong = Callable[[SettingError], None]
"""What becomes of a setting that is wrong: it is raised, or noted, and what it belongs to is left out."""


def raised(error: SettingError) -> None:
    """Stop at the first setting that is wrong."""
    raise error


def chat_platform_names() -> Sequence[str]:
    """The chat platforms that have a folder here, by name. Imports none of their libraries."""
    package = importlib.import_module("platform_adapters.chat")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


def log_shapes_and_levels() -> tuple[Sequence[str], Mapping[str, int]]:
    """What the chat platforms' secrets look like in a log, and the lowest levels of their libraries' loggers."""
    modules = [importlib.import_module(f"platform_adapters.chat.{name}.logs") for name in chat_platform_names()]
    shapes = [shape for module in modules for shape in module.SECRET_SHAPES]
    return shapes, {name: level for module in modules for name, level in module.QUIET_LOGGERS.items()}


def network_names() -> Sequence[str]:
    """The networks that have a file here: every module that declares SPEC."""
    return [module.__name__.rpartition(".")[2] for module in network_modules()]


def network_modules() -> Sequence[ModuleType]:
    """The modules that are one network each. A broken one raises here; none is skipped."""
    return [module for module in _modules() if hasattr(module, "SPEC")]


def network_specs(environment: Mapping[str, str]) -> Sequence[NetworkSpec]:
    """The declarations of all networks there are: those with a file here, with credentials or without, and those of the
    operator's own file. Raises SettingError for a wrong one.
    """
    own = [spec for module in _modules_of_many() for spec in module.specs(environment)]
    return _told_apart([*(module.SPEC for module in network_modules()), *own])


def _modules() -> Sequence[ModuleType]:
    package = importlib.import_module("platform_adapters.networks")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"platform_adapters.networks.{name}") for name in names]


def _modules_of_many() -> Sequence[ModuleType]:
    """The modules of the kinds of networks that an operator declares: each gives as many as are declared."""
    return [module for module in _modules() if hasattr(module, "build_all")]


def _told_apart(specs: Sequence[NetworkSpec]) -> Sequence[NetworkSpec]:
    """The same, if no two of them answer to one word. Raises SettingError: only the operator's own can."""
    known: dict[str, NetworkSpec] = {}
    for spec in specs:
        for word in {spec.slug, spec.name.casefold(), *spec.aliases}:
            other = known.setdefault(word, spec)
            if other is not spec:
                reason = f"“{word}” is declared for {spec.name}, and {other.name} is called so already"
                raise SettingError(NETWORKS_FILE, reason)
    return specs


def build_chat_platforms(
    environment: Mapping[str, str], surroundings: Surroundings, *, only: str | None = None, wrong: Wrong = raised
) -> Mapping[str, ChatPlatform]:
    """Build each chat platform that has credentials in `environment`; those without are left out."""
    names = [name for name in chat_platform_names() if only in (None, name)]
    modules = [importlib.import_module(f"platform_adapters.chat.{name}.adapter") for name in names]
    built = [_build(module.build, environment, surroundings, wrong) for module in modules]
    return {platform.name: platform for platform in built if platform is not None}


def how_to_install(name: str, environment: Mapping[str, str], public_url: str) -> str:
    """What a chat platform needs to take the bot in: a manifest, a link. Works before there are credentials.

    Raises SettingError where a setting is needed for it, and for a name that is not a chat platform's.
    """
    names = chat_platform_names()
    if name not in names:
        raise SettingError(name, f"is not a chat platform; there are: {', '.join(names)}")
    adapter = importlib.import_module(f"platform_adapters.chat.{name}.adapter")
    text: str = adapter.how_to_install(environment, public_url)
    return text


def preview(name: str, message: Message) -> Mapping[str, object]:
    """What a chat platform would be sent of a message, for looking at; needs no settings."""
    module = importlib.import_module(f"platform_adapters.chat.{name}.preview")
    drawn: Mapping[str, object] = module.preview(message)
    return drawn


def build_networks(environment: Mapping[str, str], clock: Clock, *, wrong: Wrong = raised) -> Mapping[str, Network]:
    """Build each network that has credentials in `environment`, and each of the operator's own file, by slug; those
    without are off.
    """
    built = [_build(module.build, environment, clock, wrong) for module in network_modules()]
    own = _build(_own_networks, environment, clock, wrong) or []
    return {network.spec.slug: network for network in [*built, *own] if network is not None}


def _own_networks(environment: Mapping[str, str], clock: Clock) -> Sequence[Network]:
    network_specs(environment)  # no two of them answer to one word
    return [network for module in _modules_of_many() for network in module.build_all(environment, clock)]


def build_signals(environment: Mapping[str, str], clock: Clock, *, wrong: Wrong = raised) -> Mapping[str, Signals]:
    """The ears for what networks tell on their own, of those that have credentials, by slug."""
    modules = [module for module in network_modules() if hasattr(module, "signals")]
    ears = [_build(module.signals, environment, clock, wrong) for module in modules]
    return {ear.network: ear for ear in ears if ear is not None}


def _build(
    build: Callable[[Mapping[str, str], _Given], _Adapter | None],
    environment: Mapping[str, str],
    given: _Given,
    wrong: Wrong,
) -> _Adapter | None:
    try:
        return build(environment, given)
    except SettingError as error:
        wrong(error)
        return None
