"""Discord's rules for message components, legacy and V2. What modals add to them is in `modal_rules.py`.

Source: docs.discord.com, components/reference.

The 4,000 characters of all text in a V2 message are as observed; the reference does not state them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.playground.vendors.discord.wire import FormErrors, Payload

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = frozenset({3, 5, 6, 7, 8})
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
TOP_LEVEL_V2 = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
IN_CONTAINER = TOP_LEVEL_V2 - {CONTAINER}
LINK_STYLE, PREMIUM_STYLE = 5, 6
MOST_COMPONENTS, MOST_TEXT, MOST_URL = 40, 4000, 512
NOT_A_LIST = ("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")


def walk(components: Sequence[object]) -> Iterator[Payload]:
    """Every component of a message, nested ones after their parent."""
    for component in components:
        if not isinstance(component, dict):
            continue
        yield component
        accessory = component.get("accessory")
        inner = component.get("component")
        yield from walk(component.get("components") or [])
        yield from walk([one for one in (accessory, inner) if isinstance(one, dict)])


@dataclass(slots=True)
class ComponentRules:
    """Checks one message's components, gathering faults into `errors`."""

    errors: FormErrors
    custom_ids: set[str] = field(default_factory=set)
    text_length: int = 0

    def message(self, components: object, *, v2: bool) -> None:
        if not isinstance(components, list):
            self.errors.add("components", *NOT_A_LIST)
            return
        if not v2 and len(components) > 5:
            self.errors.add("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for index, component in enumerate(components):
            self._one(component, f"components.{index}", TOP_LEVEL_V2 if v2 else frozenset({ROW}))
        if v2 and sum(1 for _ in walk(components)) > MOST_COMPONENTS:
            self.errors.add(
                "components",
                "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
                f"Must have at most {MOST_COMPONENTS} components.",
            )
        if self.text_length > MOST_TEXT:
            self.errors.add(
                "components",
                "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
                f"Total text must be {MOST_TEXT} or fewer in length.",
            )
        ids = [one["id"] for one in walk(components) if one.get("id")]
        if len(ids) != len(set(ids)):
            self.errors.add("components", "COMPONENT_ID_DUPLICATED", "Component ids must be unique.")

    def _one(self, component: object, path: str, allowed: frozenset[int]) -> None:
        kind = component.get("type") if isinstance(component, dict) else None
        if kind not in allowed or not isinstance(component, dict):
            choices = ", ".join(str(one) for one in sorted(allowed))
            self.errors.add(f"{path}.type", "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({choices}).')
            return
        self.checks().get(kind, self._custom_id)(component, path)

    def checks(self) -> dict[int, Callable[[Payload, str], None]]:
        """What looks at each type of component; the others have a custom id and nothing else that is looked at."""
        return {
            ROW: self._row,
            BUTTON: self._button,
            SECTION: self._section,
            TEXT: self._text,
            THUMBNAIL: lambda one, at: self._media(one.get("media"), at),
            FILE: lambda one, at: self._media(one.get("file"), at),
            GALLERY: self._gallery,
            SEPARATOR: self._separator,
            CONTAINER: self._container,
            **dict.fromkeys(SELECTS, self._select),
        }

    def _gallery(self, gallery: Payload, path: str) -> None:
        for index, item in enumerate(self._children(gallery, path, "items", 10)):
            self._media(item.get("media") if isinstance(item, dict) else None, f"{path}.items.{index}")

    def _separator(self, separator: Payload, path: str) -> None:
        if separator.get("spacing", 1) not in (1, 2):
            self.errors.add(f"{path}.spacing", "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")

    def _children(self, component: Payload, path: str, name: str, most: int) -> list[object]:
        children = component.get(name)
        if not isinstance(children, list):
            self.errors.add(f"{path}.{name}", *NOT_A_LIST)
            return []
        if not 1 <= len(children) <= most:
            self.errors.add(f"{path}.{name}", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
        return children

    def _row(self, row: Payload, path: str) -> None:
        children = self._children(row, path, "components", 5)
        selects = sum(1 for one in children if isinstance(one, dict) and one.get("type") in SELECTS)
        if selects and len(children) > 1:
            self.errors.add(
                f"{path}.components",
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            )
        for index, child in enumerate(children):
            self._one(child, f"{path}.components.{index}", frozenset({BUTTON}) | SELECTS)

    def _custom_id(self, component: Payload, path: str) -> None:
        custom_id = component.get("custom_id")
        if custom_id is None:
            self.errors.add(f"{path}.custom_id", "BASE_TYPE_REQUIRED", "A custom id is required")
            return
        self.errors.longer(f"{path}.custom_id", custom_id, 100, least=1)
        if custom_id in self.custom_ids:
            self.errors.add(
                f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
            )
        self.custom_ids.add(str(custom_id))

    def _button(self, button: Payload, path: str) -> None:
        style = button.get("style")
        if style == PREMIUM_STYLE or style not in (1, 2, 3, 4, LINK_STYLE):
            self.errors.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5).")
            return
        if button.get("label") is None and button.get("emoji") is None:
            self.errors.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button must have a label or an emoji.")
        if button.get("label") is not None:
            self.errors.longer(f"{path}.label", button["label"], 80)
        if style != LINK_STYLE:
            self._custom_id(button, path)
            if button.get("url") is not None:
                self.errors.add(
                    path, "BUTTON_COMPONENT_CUSTOM_ID_OR_URL_EXCLUSIVE", "A custom id and url cannot both be specified"
                )
            return
        if button.get("custom_id") is not None:
            self.errors.add(
                path, "BUTTON_COMPONENT_CUSTOM_ID_OR_URL_EXCLUSIVE", "A custom id and url cannot both be specified"
            )
        if button.get("url") is None:
            self.errors.add(f"{path}.url", "BASE_TYPE_REQUIRED", "A url is required")
        else:
            self.errors.longer(f"{path}.url", button["url"], MOST_URL, least=1)
            self._scheme(button["url"], f"{path}.url", frozenset({"http", "https", "discord"}))

    def _scheme(self, url: object, path: str, schemes: frozenset[str]) -> None:
        try:
            parts = urlsplit(str(url))
        except ValueError:
            self.errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
            return
        if parts.scheme not in schemes:
            named = ", ".join(f"'{one}'" for one in sorted(schemes))
            self.errors.add(path, "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of ({named}).")
        elif not parts.netloc and parts.scheme != "attachment":
            self.errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")

    def _select(self, select: Payload, path: str) -> None:
        self._custom_id(select, path)
        if select.get("placeholder") is not None:
            self.errors.longer(f"{path}.placeholder", select["placeholder"], 150)
        low, high = select.get("min_values", 1), select.get("max_values", 1)
        if not (isinstance(low, int) and isinstance(high, int) and 0 <= low <= 25 and 1 <= high <= 25 and low <= high):
            self.errors.add(f"{path}.max_values", "NUMBER_TYPE_MAX", "min_values and max_values must fit within 25.")
        if select.get("type") == STRING_SELECT:
            self._options(self._children(select, path, "options", 25), high, path)
        elif isinstance(low, int) and isinstance(high, int):
            chosen = select.get("default_values") or []
            if chosen and not low <= len(chosen) <= high:
                self.errors.add(
                    f"{path}.default_values", "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length."
                )

    def _options(self, options: list[object], most: object, path: str) -> None:
        if isinstance(most, int) and most > max(len(options), 1):
            self.errors.add(f"{path}.max_values", "NUMBER_TYPE_MAX", "There are fewer options than max_values.")
        chosen = sum(1 for option in options if isinstance(option, dict) and option.get("default"))
        if isinstance(most, int) and chosen > most:
            self.errors.add(f"{path}.options", "BASE_TYPE_BAD_LENGTH", "More options are selected than max_values.")
        seen: set[object] = set()
        for index, option in enumerate(options):
            at = f"{path}.options.{index}"
            if not isinstance(option, dict):
                self.errors.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
                continue
            self.errors.longer(f"{at}.label", option.get("label"), 100, least=1)
            self.errors.longer(f"{at}.value", option.get("value"), 100, least=1)
            if option.get("description") is not None:
                self.errors.longer(f"{at}.description", option["description"], 100)
            if option.get("value") in seen:
                self.errors.add(
                    f"{at}.value",
                    "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                    "The specified option value is already used",
                )
            seen.add(option.get("value"))

    def _section(self, section: Payload, path: str) -> None:
        for index, child in enumerate(self._children(section, path, "components", 3)):
            self._one(child, f"{path}.components.{index}", frozenset({TEXT}))
        self._one(section.get("accessory"), f"{path}.accessory", frozenset({BUTTON, THUMBNAIL}))

    def _text(self, text: Payload, path: str) -> None:
        content = text.get("content")
        self.errors.longer(f"{path}.content", content, MOST_TEXT, least=1)
        self.text_length += len(content) if isinstance(content, str) else 0

    def _media(self, media: object, path: str) -> None:
        url = media.get("url") if isinstance(media, dict) else None
        if url is None:
            self.errors.add(f"{path}.media.url", "BASE_TYPE_REQUIRED", "This field is required")
        else:
            self._scheme(url, f"{path}.media.url", frozenset({"http", "https", "attachment"}))

    def _container(self, container: Payload, path: str) -> None:
        colour = container.get("accent_color")
        if colour is not None and not (isinstance(colour, int) and 0 <= colour <= 0xFFFFFF):
            self.errors.add(
                f"{path}.accent_color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215."
            )
        for index, child in enumerate(self._children(container, path, "components", MOST_COMPONENTS)):
            self._one(child, f"{path}.components.{index}", IN_CONTAINER)
