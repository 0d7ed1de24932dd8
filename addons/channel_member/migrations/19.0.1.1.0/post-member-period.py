"""Members get a history, signs of identity, and checks at the invoice.

The history of members that are already there is what is known of it: the entries of the audit journal, else the days
that stand on the member, else the day on which it was entered.
"""

from collections import defaultdict

from odoo import SUPERUSER_ID, api, fields
from odoo.fields import Command

REASON = "Taken over from before there was a history"
CHECKS = (
    "member_state",
    "member_qualification",
    "member_qualification_advised",
    "member_scope",
    "member_authorization",
)


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    _first_periods(env)
    env["channel.member.key"]._refresh()
    _checks_at_invoice(env)


def _first_periods(env):
    """One or more periods for each member that has none; safe to run again."""
    members = env["res.partner"].with_context(active_test=False).search([
        ("channel_role", "!=", False), ("channel_period_ids", "=", False),
    ])
    if not members:
        return
    decisions = defaultdict(list)
    for entry in env["channel.audit.entry"].search(
        [("model", "=", "res.partner"), ("res_id", "in", members.ids), ("action", "=like", "member.%")],
        order="date, id",
    ):
        state = entry.action.partition(".")[2]
        decisions[entry.res_id].append((entry.company_id._channel_date(entry.date), state, entry.reason))
    period = env["channel.member.period"]
    inserts = []
    states = {value for value, _label in env["res.partner"]._fields["channel_state"].selection}
    for member in members:
        values = {
            "role": member.channel_role,
            "parent_id": member.channel_parent_id.id or None,
            "grade_id": member.grade_id.id or None,
            "region_id": member.channel_region_id.id or None,
        }
        spans = _states(env, member, [decision for decision in decisions[member.id] if decision[1] in states])
        ends = [fields.Date.subtract(start, days=1) for start, _state, _reason in spans[1:]] + [None]
        for (start, state, reason), end in zip(spans, ends, strict=True):
            inserts.append((member.id, start, end, reason or REASON, False, {**values, "state": state}))
    period._store_rows([], [], [], inserts)
    period.invalidate_model(flush=False)


def _states(env, member, decisions):
    """Return ``[(first day, state, reason)]`` of one member, sorted, one for each day on which the state changed."""
    entered = env.company._channel_date(member.create_date)
    spans = {}
    if decisions:
        first = min(entered, decisions[0][0])
        spans[first] = ("applicant", None)
        for day, state, reason in decisions:
            spans[day] = (state, reason)
    else:
        since = member.channel_active_since
        spans[min(entered, since or entered)] = ("active", None) if since else ("applicant", None)
        if since:
            if entered < since:
                spans[entered] = ("applicant", None)
            spans[since] = ("active", None)
    last = spans[max(spans)][0]
    if last != member.channel_state:
        # What stands on the member is what the gate went by.
        day = max(member.channel_state_date or entered, max(spans))
        spans[day] = (member.channel_state, member.channel_state_reason)
    return [(day, *spans[day]) for day in sorted(spans)]


def _checks_at_invoice(env):
    """The checks are data that a company may edit, so an update leaves them; they judge invoices from now on."""
    invoice = env.ref("channel_base.gate_operation_invoice")
    for code in CHECKS:
        check = env.ref(f"channel_member.gate_check_{code}", raise_if_not_found=False)
        if check and invoice not in check.operation_ids:
            check.operation_ids = [Command.link(invoice.id)]
