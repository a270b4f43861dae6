"""The letters' templates: found, checked, compiled from MJML and run in a sandbox.

MJML is compiled once per letter, with the Jinja in it untouched, so nothing that comes from outside ever passes the
MJML parser. Loops stand in mj-raw. What goes wrong is a Mistake that names the file: a template is the site's own.
"""

import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import mjml
from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailer.errors import Mistake
from mailer.i18n import translations
from mailer.lasting import Lasting
from mailer.render import shortcuts
from mailer.render.filters import FILTERS
from mailer.render.loops import Loops, Shared
from mailer.render.personal import put_out

# What the compiler knows, less the tags that fetch from foreign hosts (mj-font, mj-social): it drops an unknown tag
# with everything inside and says nothing.
_TAGS = re.compile(
    r"mjml|mj-(?:all|attributes|body|breakpoint|button|class|column|divider|group|head|hero|image|preview|raw|section"
    r"|spacer|style|table|text|title|wrapper)"
)
_TAG = re.compile(r"<(mj[\w-]*)")
# The compiler's own mj-include does not tell the included part how wide the letter is.
_INCLUDE = re.compile(r'<mj-include path="([\w./-]+)" */>')
# These catch what was put out and can change it, where a mark for a personal value would not be seen any more.
_CATCHING = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)


class TemplateBroken(Mistake):
    """A letter's template cannot be used as it is."""


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look into a mapping before asking it: letters are made of these, and what they lack costs them an error."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class Templates:
    """The folder of letters. What was read stays as it was until the program starts again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = cache(self._new_environment)
        self._template = cache(self._new_template)
        self._loops = Loops()

    @property
    def shared(self) -> Shared:
        """The lines that marks stand for in what these templates put out."""
        return self._loops.shared

    def get(self, name: str, *, language: str) -> Template:
        """Return the template of the file `name`; .mjml becomes HTML and escapes what it puts out.

        raises  TemplateBroken
        """
        return self._template(name, language)

    def _new_template(self, name: str, language: str) -> Template:
        environment = self._environment(language, escaping=name.endswith(".mjml"))

        parse, say = partial(self._parse, environment), translations(language).gettext
        try:
            whole = shortcuts.take(parse(name), part=parse, say=say)
            code = environment.compile(self._loops.take(whole, environment, language), name)
        except TemplateError as error:
            raise broken(name, error) from None
        # A plain mapping: Jinja's own is walked in Python for each rendering.
        return Template.from_code(environment, code, dict(environment.globals))

    def _new_environment(self, language: str, *, escaping: bool) -> ImmutableSandboxedEnvironment:
        environment = _Environment(
            autoescape=escaping,
            extensions=["jinja2.ext.i18n"],
            finalize=put_out,
            keep_trailing_newline=True,
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        environment.loader = FunctionLoader(partial(self._checked, environment))
        environment.filters.update(FILTERS)
        for test in ("string", "sequence", "sameas"):  # they would tell a mark from a value without asking it
            del environment.tests[test]
        environment.tests["lasting"] = lambda value: isinstance(value, Lasting)
        catalogue = translations(language)
        environment.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
        return environment

    def _checked(self, environment: ImmutableSandboxedEnvironment, name: str) -> str:
        """Return the source of what a template asks for while it runs, because no shortcut could be taken."""
        self._parse(environment, name)
        return self._source(name)

    def _parse(self, environment: ImmutableSandboxedEnvironment, name: str) -> nodes.Template:
        tree = environment.parse(self._source(name), name)
        if next(tree.find_all(_CATCHING), None) is not None:
            raise TemplateBroken(
                "The template {name} keeps output back (macro, call, filter or set block): write it in place.",
                name=name,
            )
        return tree

    def _source(self, name: str) -> str:
        source = self._read(name)
        return self._compiled(name, source) if name.endswith(".mjml") else source

    def _compiled(self, name: str, source: str) -> str:
        source = self._whole(source)
        for tag in _TAG.findall(source):
            if not _TAGS.fullmatch(tag):
                raise TemplateBroken(
                    "The template {name} has a tag {tag}, which is not known here.", name=name, tag=tag
                )
        try:
            # No fonts and no icon host: the compiler's defaults would fetch from Google and Mailjet.
            return mjml.mjml2html(source, disable_comments=True, fonts={}, social_icon_origin="")
        except ValueError as error:
            raise TemplateBroken(
                "The template {name} is no readable MJML: {reason}. (A < in a Jinja expression is read as a tag:"
                " write `is lt`.)",
                name=name,
                reason=error,
            ) from None

    def _whole(self, source: str) -> str:
        """Put the included parts in place; they may include others."""
        return _INCLUDE.sub(lambda include: self._whole(self._read(include[1])), source)

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise TemplateBroken("There is no template {name} in the folder of letters.", name=name) from None


def broken(name: str, error: Exception) -> TemplateBroken:
    return TemplateBroken("The template {name} cannot be used: {reason}.", name=name, reason=str(error).rstrip("."))
