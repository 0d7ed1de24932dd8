"""A distribution agreement for each dealer, written by one person and approved by another; one amended."""

from dateutil.relativedelta import relativedelta

from odoo import Command

from . import calendar
from .common import DEALERS, name_record, ref
from .members import LAPSED

CLAUSES = (
    ("Subject", "The company appoints the dealer to distribute the medical devices, in the territory "
     "and to the hospitals named in its letters of authorization, for the term of this agreement."),
    ("Prices", "Prices are those of the price table of this version. They apply to orders by their date."),
    ("Quality", "Both parties answer for the quality of the devices in the section of the chain that they "
     "hold, keep traceable records by lot, and keep devices within the conditions of their labels."),
    ("Territory", "Orders are for hospitals inside the authorised territory. Others need a written consent."),
    ("Compliance", "Rebates and discounts are open, agreed in writing, and booked truthfully by both sides."),
)


def run(env):
    manager = ref(env, "user_manager")
    writer = ref(env, "user_contract")
    immediate = env.ref("account.account_payment_term_30days")
    later = env.ref("account.account_payment_term_45days")
    for code, facts in {**DEALERS, **LAPSED}.items():
        dealer = ref(env, f"dealer_{code}")
        contract = env["channel.contract"].with_user(writer).create({
            "title": f"Distribution agreement {facts[0]}",
            "member_id": dealer.id,
            "company_id": env.company.id,
            "version_ids": [Command.create({
                "purpose": "First agreement",
                "valid_from": calendar.first_day() - relativedelta(months=1),
                "pricelist_id": ref(env, "price_table").id,
                "payment_term_id": immediate.id,
                "company_signatory": "Zong Jingli, General Manager",
                "member_signatory": "Legal representative",
                "clause_ids": [
                    Command.create({"sequence": 10 * place, "title": title, "body": f"<p>{body}</p>"})
                    for place, (title, body) in enumerate(CLAUSES, start=1)
                ],
                "commitment_ids": [Command.create({
                    "name": "All devices", "period": "year", "amount": 600000.0,
                })],
            })],
        })
        name_record(env, f"contract_{code}", contract.sudo())
        contract.version_ids.with_user(manager).action_approve()
    amended = ref(env, "contract_D001")
    amended.with_user(writer).action_new_version()
    draft = amended.version_ids.filtered(lambda version: version.state == "draft")
    draft.with_user(writer).write({
        "purpose": "Longer term of payment after a good first half",
        "valid_from": calendar.months()[6],
        "payment_term_id": later.id,
    })
    draft.with_user(manager).action_approve()
