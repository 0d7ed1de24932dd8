"""Dated values without gaps: what something was on each day.

A timeline is a list of :class:`Span`, sorted by their first day. Each span ends the day before the next one
starts, the last one has no end. Nothing here knows Odoo: these functions are the rules, the model stores them.
"""

from datetime import date as Date
from typing import NamedTuple


class Span(NamedTuple):
    """Values that hold from ``start`` until the next span starts."""

    start: Date
    values: dict


def changed(timeline, date, changes):
    """Return the timeline with values set from a day on.

    Each value holds until the day on which it was to change anyhow: a correction of March does not undo the
    decision of June. A day before the first one lengthens the timeline: the new days have the values of the
    first span, with the changes.

    :param list timeline: :class:`Span`, sorted; not empty
    :param date: first day of the change
    :param dict changes: ``{name: value}``, names that every span has
    :return: a new list, with neighbours of equal values merged
    """
    spans = [Span(span.start, dict(span.values)) for span in timeline]
    if date < spans[0].start:
        spans.insert(0, Span(date, dict(spans[0].values)))
        # What the former first span said is a decision of its own day: it is not overrun.
        own = {spans[1].start: set(changes)}
    else:
        own = {}
        if not any(span.start == date for span in spans):
            before = max((span for span in spans if span.start < date), key=lambda span: span.start)
            spans.append(Span(date, dict(before.values)))
            spans.sort(key=lambda span: span.start)
    for name, value in changes.items():
        previous = None
        for span in spans:
            if span.start < date:
                continue
            if span.start > date and (span.values[name] != previous or name in own.get(span.start, ())):
                break
            previous = span.values[name]
            span.values[name] = value
    return merged(spans)


def merged(spans):
    """Return the spans without those that say the same as the one before."""
    result = []
    for span in spans:
        if not result or result[-1].values != span.values:
            result.append(span)
    return result


def at(timeline, date):
    """Return the values on a day, None before the first one."""
    found = None
    for span in timeline:
        if span.start > date:
            break
        found = span.values
    return found
