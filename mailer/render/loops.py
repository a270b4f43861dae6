"""What a loop says of a thing that many letters show is rendered once for all of them.

The contents of a digest share their news items: a thousand contents may show sixty. Where a loop's body proves to
depend on nothing but the thing itself and the language, what it put out is kept with the thing, and so are its lines as
they will go over the wire. Any other loop runs as it is written, and so does this one for whatever is not Lasting.
"""

from collections.abc import Iterable, MutableMapping
from itertools import count
from typing import NamedTuple
from weakref import WeakValueDictionary

from jinja2 import Environment, Template, meta, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from mailer.lasting import Lasting
from mailer.message.quoted_printable import Lines
from mailer.render.personal import mark_of

Shared = MutableMapping[str, Lines]  # by the key of the mark that stands for them in a rendered text

# What a body may be made of: each of these says no more than its parts do.
_PURE = (
    nodes.Assign,
    nodes.BinExpr,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Filter,
    nodes.For,
    nodes.Getattr,
    nodes.Getitem,
    nodes.If,
    nodes.Keyword,
    nodes.Literal,
    nodes.Name,
    nodes.Operand,
    nodes.Output,
    nodes.Pair,
    nodes.Scope,
    nodes.Slice,
    nodes.TemplateData,
    nodes.Test,
    nodes.UnaryExpr,
)
_UNEVEN = {"random"}  # filters that say something else each time


class Loops:
    """The loops of one folder's templates. `shared` has the lines of all things that some letter still holds."""

    def __init__(self) -> None:
        self.shared: Shared = WeakValueDictionary()
        self._numbers = count(1)

    def take(self, template: nodes.Template, environment: Environment, language: str) -> nodes.Template:
        """Return `template` (which is changed), its loops ready to say of a thing what was said of it before."""
        settled = {"language"} - _set_in(template)
        taken: nodes.Template = _Rewriting(self, environment, language, settled).visit(template)
        return taken

    def share(self, text: str) -> "_Said":
        """Return what is put out for `text`: its whole lines are a mark there."""
        first, end, rest = text.partition("\n")
        middle, last_end, last = rest.rpartition("\n")
        if not last_end:
            return _Said(text, None)
        key, lines = f"lines.{next(self._numbers)}", Lines(middle + last_end)
        self.shared[key] = lines
        return _Said(f"{first}{end}{mark_of(key)}{last}", lines)


class _Said(NamedTuple):
    """What a body put out of one thing, and the lines that its mark stands for."""

    text: str
    lines: Lines | None


class _Body:
    """The body of a loop, a filter of the thing that the loop is at."""

    def __init__(self, loops: Loops, template: Template, target: str, language: str) -> None:
        self._loops = loops
        self._template = template
        self._target = target
        self._language = language

    def __call__(self, thing: Lasting) -> str:
        return thing.once(self, lambda: self._say(thing)).text

    def _say(self, thing: Lasting) -> _Said:
        said = self._loops.share(self._template.render({self._target: thing, "language": self._language}))
        return _Said(Markup(said.text), said.lines) if self._template.environment.autoescape else said  # noqa: S704  # a template's output


class _Rewriting(NodeTransformer):
    def __init__(self, loops: Loops, environment: Environment, language: str, settled: set[str]) -> None:
        self._loops = loops
        self._environment = environment
        self._language = language
        self._settled = settled

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  Jinja's name for it
        target = node.target
        if not isinstance(target, nodes.Name) or not self._depends_on(node.body, {target.name}):
            return self.generic_visit(node)
        said = self._filter(node.body, target.name)
        thing = nodes.Name(target.name, "load", lineno=node.lineno)
        asked = nodes.Test(thing, "lasting", [], [], None, None, lineno=node.lineno)
        known = nodes.Output([nodes.Filter(thing, said, [], [], None, None)], lineno=node.lineno)
        self.generic_visit(node)  # loops inside, for things that are not Lasting
        node.body = [nodes.If(asked, [known], [], node.body, lineno=node.lineno)]
        return node

    def visit_ScopedEvalContextModifier(self, node: nodes.Node) -> nodes.Node:  # noqa: N802  as above
        return node  # inside, values are escaped otherwise than our bodies do it

    def _depends_on(self, body: list[nodes.Node], names: set[str]) -> bool:
        """Say whether what `body` puts out is certain to depend on these variables and the language alone."""
        if not all(isinstance(each, _PURE) and not _uneven(each) for each in _all(body)):
            return False
        return meta.find_undeclared_variables(self._alone(body)) <= names | self._settled

    def _filter(self, body: list[nodes.Node], target: str) -> str:
        """Compile a body by itself and return the name of the filter that runs it."""
        environment = self._environment
        name = f"{target} {len(environment.filters)}"
        template = Template.from_code(
            environment, environment.compile(self._alone(body), name), dict(environment.globals)
        )
        environment.filters[name] = _Body(self._loops, template, target, self._language)
        return name

    def _alone(self, body: list[nodes.Node]) -> nodes.Template:
        alone = nodes.Template(body, lineno=1)
        alone.set_environment(self._environment)
        return alone


def _all(body: Iterable[nodes.Node]) -> Iterable[nodes.Node]:
    for node in body:
        yield node
        yield from node.find_all(nodes.Node)


def _uneven(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Filter) and node.name in _UNEVEN


def _set_in(template: nodes.Template) -> set[str]:
    return {name.name for name in template.find_all(nodes.Name) if name.ctx != "load"}
