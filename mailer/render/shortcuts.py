"""What is known of a template before any letter is: its parts and the sentences of its language, put in place once.

A digest includes 24 parts and says 38 sentences. Each part run by itself, and each sentence looked up and formatted,
cost most of the time that rendering takes; what is put out is the same.
"""

import re
from collections.abc import Callable

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

_NAMED = re.compile(r"%\((\w+)\)s")


def take(
    template: nodes.Template, *, part: Callable[[str], nodes.Template], say: Callable[[str], str]
) -> nodes.Template:
    """Return `template` (which is changed) with its parts and sentences in place.

    part  reads an included file    say  translates
    """
    shorter: nodes.Template = _Shortcuts(part, say).visit(template)
    return shorter


class _Shortcuts(NodeTransformer):
    def __init__(self, part: Callable[[str], nodes.Template], say: Callable[[str], str]) -> None:
        self._part = part
        self._say = say

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802  Jinja's name for it
        if not isinstance(node.template, nodes.Const) or node.ignore_missing or not node.with_context:
            return node
        read: nodes.Template = self.visit(self._part(node.template.value))
        return nodes.Scope(read.body, lineno=node.lineno)  # what a part sets stays in it

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802  as above
        said = [each for child in node.nodes for each in self._sentence(child)]
        return nodes.Output(said, lineno=node.lineno)

    def _sentence(self, node: nodes.Expr) -> list[nodes.Expr]:
        """Return a sentence that is put out as literals, and the values between them."""
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], dyn_args=None, dyn_kwargs=None
            ):
                literal, *rest = _NAMED.split(self._say(text))
                values = {each.key: each.value for each in node.kwargs}
                if "%" not in "".join([literal, *rest[1::2]]) and values.keys() >= set(rest[::2]):
                    pairs = zip(rest[::2], rest[1::2], strict=True)
                    between = [part for name, after in pairs for part in (values[name], nodes.TemplateData(after))]
                    return [nodes.TemplateData(literal), *between]
        return [node]
