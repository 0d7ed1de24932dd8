"""Variables in the texts of clauses: Odoo's own inline templates (``{{ name }}``, ``{{ name ||| otherwise }}``), in a
namespace that holds texts under their names and nothing else: no record, no function, no attribute."""

import re

from markupsafe import Markup, escape

from odoo.tools.rendering_tools import parse_inline_template, render_inline_template

_OPEN = re.compile(r"\{\{|\}\}")


def expressions(text):
    """:returns: what stands between the braces, in order, each once"""
    return list(dict.fromkeys(name for _literal, name, _default in parse_inline_template(str(text or "")) if name))


def unknown(text, names):
    """:returns: what the text asks for and is not among ``names``; braces without their other half count as such"""
    literals = "".join(literal for literal, _name, _default in parse_inline_template(str(text or "")))
    return [name for name in expressions(text) if name not in names] + _OPEN.findall(literals)


def empty(text, values):
    """:returns: the variables of the text that have no value there and no text to take instead"""
    return list(
        dict.fromkeys(
            name
            for _literal, name, default in parse_inline_template(str(text or ""))
            if name and name in values and not values[name] and not default
        )
    )


def render(text, values):
    """Fill in the variables of a piece of HTML.

    :param dict values: ``{name: text or Markup}``; texts are escaped. Whoever calls has made sure by :func:`unknown`
        that nothing else is asked for.
    :returns: :class:`markupsafe.Markup`
    """
    namespace = {name: escape(value) for name, value in values.items()}
    parts = [
        (literal, name, default.strip()) if not name or name in namespace else (f"{literal}{{{{ {name} }}}}", "", "")
        for literal, name, default in parse_inline_template(str(text or ""))
    ]
    # A text of the library or of a draft, sanitized by its field; what is filled in is escaped
    return Markup(render_inline_template(parts, namespace))  # noqa: S704
