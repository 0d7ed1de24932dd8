"""The story's dates: twelve whole months that end with the month before today's."""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import fields

#: The day on which the telling began: a story that goes on past midnight is still of one day.
_begun = None


def begin():
    global _begun
    _begun = fields.Date.today()


def today():
    return _begun or fields.Date.today()


def first_day() -> date:
    """First day of the story's year."""
    return today().replace(day=1) - relativedelta(months=12)


def months() -> list[date]:
    """First days of the story's twelve months, oldest first, and of the current month."""
    return [first_day() + relativedelta(months=offset) for offset in range(13)]
