"""Two rebate programmes: quarterly on everything, and a yearly one on top for gold dealers."""

from odoo import Command

from . import calendar
from .common import name_record, ref

TIERS = {
    "QVR": ("Quarterly volume rebate", "quarter", ((0, 0.0), (300000, 1.5), (600000, 2.5), (900000, 4.0))),
    "GYR": ("Gold dealers' yearly rebate", "year", ((0, 0.5), (1500000, 1.0), (2500000, 2.0))),
}


def run(env):
    company = env.company
    account = env["account.account"].with_company(company)
    sales = env["account.account"].search([
        ("account_type", "=", "income"), ("company_ids", "in", company.ids)
    ], limit=1)
    contra = account.create({
        "code": f"{sales.code}90",
        "name": "Rebates to dealers (reduction of revenue)",
        "account_type": "income",
    })
    accrued = account.create({
        "code": "224190",
        "name": "Accrued dealer rebates",
        "account_type": "liability_current",
    })
    product = env["product.product"].create({
        "name": "Rebate settlement",
        "default_code": "REBATE",
        "type": "service",
        "list_price": 0.0,
        "taxes_id": [Command.clear()],
        "sale_ok": False,
        "purchase_ok": False,
    })
    gold = env["channel.segment"].create({
        "name": "Gold dealers",
        "code": "gold",
        "member_domain": repr([("grade_id", "=", ref(env, "grade_gold").id)]),
    })
    name_record(env, "segment_gold", gold)
    for code, (name, window, tiers) in TIERS.items():
        program = env["channel.rebate.program"].with_user(ref(env, "user_finance")).create({
            "name": name,
            "code": code,
            "company_id": company.id,
            "expense_account_id": contra.id,
            "liability_account_id": accrued.id,
            "product_id": product.id,
            "version_ids": [Command.create({
                "valid_from": calendar.first_day(),
                "window_type": window,
                "kind": "retroactive",
                "segment_ids": [Command.set(gold.ids if code == "GYR" else [])],
                "tier_ids": [Command.create({"lower_bound": bound, "rate": rate}) for bound, rate in tiers],
            })],
        })
        program.version_ids.with_user(ref(env, "user_manager")).action_approve()
        name_record(env, f"program_{code}", program.sudo())
