"""What dealers say to their rebates: statements confirmed and disputed, an appeal granted, a draft that is tried."""

from odoo import Command

from . import calendar
from .common import name_record, ref


def run(env):
    finance = ref(env, "user_finance")
    program = ref(env, "program_QVR")
    # The first quarter of the story is settled: its statements are answered.
    balances = program.balance_ids.sorted("window_start")
    first = balances[:1]
    period = [first.window_start, first.window_end]
    members = ref(env, "dealer_D001") | ref(env, "dealer_D004")
    Statement = env["channel.rebate.statement"].with_user(finance)
    confirmed, disputed = (
        Statement.browse(Statement.make(member.ids, period)) for member in members
    )
    name_record(env, "statement_confirmed", confirmed.sudo())
    name_record(env, "statement_disputed", disputed.sudo())
    # Nobody is written to by a demonstration: the statements are sent without a mail.
    (confirmed | disputed).write({"state": "sent", "sent_at": env.cr.now()})
    confirmed.with_user(ref(env, "user_dealer")).sudo()._confirm()
    _dispute(env, disputed, finance)
    _draft(env, program, finance)


def _dispute(env, statement, finance):
    """The second dealer misses an amount; it is granted in part, and booked."""
    balance = statement.content["programs"][0]["balances"][0]["balance_id"]
    statement.with_user(ref(env, "user_dealer2")).sudo()._dispute(
        "Two invoices of the last week of the quarter are missing.", claims={balance: 300.0}
    )
    dispute = statement.dispute_ids.with_user(finance)
    name_record(env, "dispute", dispute.sudo())
    dispute.write({"granted_amount": 180.0, "decision": "One of them was dated after the quarter, the other counts."})
    dispute.action_grant()
    dispute.correction_id.with_user(ref(env, "user_manager")).action_approve()


def _draft(env, program, finance):
    """New terms for next year: as bands, so that no order at the end of a quarter pays more than it is worth."""
    action = program.with_user(finance).action_new_version()
    version = env["channel.rebate.program.version"].with_user(finance).browse(action["res_id"])
    version.write({
        "valid_from": calendar.today().replace(month=1, day=1, year=calendar.today().year + 1),
        "kind": "marginal",
        "tier_ids": [Command.clear(), *(
            Command.create({"lower_bound": bound, "rate": rate})
            for bound, rate in ((0, 0.5), (300000, 2.5), (600000, 4.0), (900000, 6.0))
        )],
    })
    name_record(env, "program_draft", version.sudo())
