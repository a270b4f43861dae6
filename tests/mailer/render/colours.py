"""Which colours a letter's words really have, by its own styles, in the light and in the dark."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{(.*?)\n  \}", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = r"(#[0-9a-f]{6})(?: !important)?"
_INK = re.compile(rf"(?<![\w-])color: ?{_COLOUR}")
_GROUND = re.compile(rf"(?<![\w-])background(?:-color)?: ?{_COLOUR}")

Colours = dict[int, str]


def dark_rules(page: str) -> list[tuple[str, str]]:
    """Return (selector, declarations) of the dark style, one selector each."""
    (dark,) = _DARK.findall(page)
    return [(one.strip(), rule[1]) for rule in _RULE.findall(dark) for one in rule[0].split(",")]


def outlook_rules(page: str) -> list[tuple[str, str]]:
    """Return the same of the rules for Outlook on the web, which marks what it changed itself."""
    style = page[page.index("[data-ogsb]") : page.index("</style>", page.index("[data-ogsb]"))]
    return [(one.strip(), rule[1]) for rule in _RULE.findall(style) for one in rule[0].split(",")]


def words_and_contrast(page: str, *, dark: bool) -> Iterator[tuple[str, float]]:
    """Yield every readable text with the contrast of its ink to its ground (WCAG 2.2, 1.4.3)."""
    tree = LexborHTMLParser(page)
    inks, grounds = _inline(tree, _INK), _inline(tree, _GROUND)
    links = re.search(r"\n  a \{ color: (#[0-9a-f]{6}); \}", page)
    assert links is not None
    for link in tree.css("a"):
        inks.setdefault(link.mem_id, links[1])
    if dark:
        for selector, declarations in sorted(dark_rules(page), key=lambda rule: _weight(rule[0])):
            for node in tree.css(selector):
                for colours, pattern in ((inks, _INK), (grounds, _GROUND)):
                    for colour in pattern.findall(declarations):
                        colours[node.mem_id] = colour
    assert tree.body is not None
    for node in tree.body.traverse(include_text=True):
        if node.tag == "-text" and (text := node.text_content) and text.strip() and not _hidden(node):
            yield text.strip(), _contrast(_nearest(node, inks), _nearest(node, grounds))


def _inline(tree: LexborHTMLParser, pattern: re.Pattern[str]) -> Colours:
    styled = ((node.mem_id, pattern.findall(node.attributes["style"] or "")) for node in tree.css("[style]"))
    return {node: found[-1] for node, found in styled if found}


def _weight(selector: str) -> tuple[int, int]:
    """Return the specificity: classes, then elements."""
    return selector.count("."), len(re.findall(r"(?:^|[ >])[a-z]", selector))


def _hidden(node: LexborNode | None) -> bool:
    while node is not None:
        if "display:none" in (node.attributes.get("style") or ""):
            return True
        node = node.parent
    return False


def _nearest(node: LexborNode | None, colours: Colours) -> str:
    while node is not None:
        if node.mem_id in colours:
            return colours[node.mem_id]
        node = node.parent
    raise AssertionError("a text without a colour")


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
