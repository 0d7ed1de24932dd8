"""Domains that users keep in a text field: read, checked and taken apart in one place."""

import ast
from typing import NamedTuple

import psycopg2

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class DomainHop(NamedTuple):
    """One field that a domain reads, on the model where it is read."""

    field: object
    operator: str
    value: object
    # True for the last field of a path: the one that is compared with ``value``
    is_leaf: bool
    # True for a field of the domain's own model
    is_first: bool


def read_domain(text):
    """Return the :class:`Domain` written in ``text``; nothing or ``[]`` is everything.

    Only literals are read, never evaluated: a stored domain means the same for every user
    and in every time zone. Relative dates are written as Odoo writes them (``'today -1m'``).

    :raise ValueError: ``text`` is no list of conditions
    """
    text = (text or "").strip()
    if not text:
        return Domain.TRUE
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"not a literal ({error})") from error
    if not isinstance(value, list):
        raise ValueError(f"a list is expected, not {type(value).__name__}")
    try:
        return Domain(value)
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(str(error)) from error


def domain_hops(model, domain, first=True):
    """Yield a :class:`DomainHop` for every field that ``domain`` reads, through all its paths.

    :raise ValueError: a field does not exist or is not searchable
    """
    for condition in Domain(domain).iter_conditions():
        names = condition.field_expr.split(".")
        current = model
        for position, name in enumerate(names):
            field = current._fields.get(name)
            if field is None:
                raise ValueError(f"{current._name} has no field {name!r}")
            if not field.store and not field.search and not field.inherited:
                raise ValueError(f"field {name!r} of {current._name} is not stored and cannot be searched")
            is_leaf = position == len(names) - 1 or not field.relational
            yield DomainHop(field, condition.operator, condition.value, is_leaf, first and not position)
            if is_leaf:
                break
            current = model.env[field.comodel_name]
        if condition.operator.rstrip("!") in ("any", "not any") and field.relational:
            yield from domain_hops(model.env[field.comodel_name], condition.value, first=False)


def check_domain(model, text, label, company_bound=False):
    """Return the domain in ``text`` after proving that the database can answer it.

    :param model: the (empty) recordset that is searched
    :param str label: name of the field that holds ``text``, for the message
    :param bool company_bound: whether the domain is read for one company only. A field whose value
        differs from company to company has no answer otherwise.
    :raise ValidationError: names the field, the value, the reason and the remedy
    """
    env = model.env
    try:
        domain = read_domain(text)
        for hop in domain_hops(model, domain):
            if hop.field.company_dependent and not company_bound:
                raise ValueError(env._("%s has a value for each company", hop.field.name))
        query = model._search(domain, limit=1)
        with env.cr.savepoint():
            # a user's slip, not a fault of the server: do not log it as an error
            env.cr.execute(query.select(), log_exceptions=False)
    except (ValueError, TypeError, KeyError, UserError, psycopg2.Error) as error:
        raise ValidationError(
            env._(
                "%(field)s: %(value)s is not a valid condition on %(model)s: %(reason)s. "
                "Choose the condition in the editor, or write a list such as %(example)s.",
                field=label,
                value=text,
                model=model._description,
                reason=str(error).strip().split("\n")[0],
                example="[('display_name', 'ilike', 'A')]",
            )
        ) from error
    return domain


def is_relative_in_time(model, domain):
    """Whether the answer to ``domain`` changes by the passing of days alone (``'today -1m'``)."""
    return any(
        hop.is_leaf
        and hop.field.type in ("date", "datetime")
        and isinstance(hop.value, str)
        and not hop.value[:4].isdigit()
        for hop in domain_hops(model, domain)
    )
