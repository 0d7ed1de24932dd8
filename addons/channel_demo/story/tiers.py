"""Tiers follow from a policy: last year's review is approved and has changed some, an interim one is only proposed.

Weights, thresholds and the scores for service are invented; turnover, payment days and refusals are those of the
story's own documents. The administrator sets the policy up and computes the reviews, the manager decides.
"""

from dateutil.relativedelta import relativedelta

from odoo import Command

from . import calendar
from .common import dealers, name_record, ref

# measure, weight, value for no points, value for all points
CRITERIA = (
    ("turnover", 30, 0, 2000000),
    ("payment_days", 30, 60, 0),
    ("qualified_days", 20, 80, 100),
    ("service", 20, 0, 100),
)
SERVICE = {"D001": 98, "D002": 85, "D003": 60, "D004": 70, "D005": 88, "D006": 50, "D007": 10, "D008": 40}


def run(env):
    manager = ref(env, "user_manager")
    last_day = calendar.months()[-1] - relativedelta(days=1)
    env["channel.tier.score"].with_user(manager).create([
        {
            "partner_id": dealer.id,
            "date": last_day - relativedelta(days=20),
            "score": SERVICE[dealer.channel_code],
            "reason": "Yearly survey of hospitals (invented)",
        }
        for dealer in dealers(env)
    ])
    policy = env["channel.tier.rule"].create({
        "name": "Dealers' tiers",
        "role": "distributor",
        "company_id": env.company.id,
        "period": "rolling",
        "between": "upgrade_only",
        "criterion_ids": [
            Command.create({"measure": measure, "weight": weight, "value_zero": zero, "value_full": full})
            for measure, weight, zero, full in CRITERIA
        ],
        "threshold_ids": [
            Command.create({"points": 86, "grade_id": ref(env, "grade_gold").id}),
            Command.create({"points": 50, "grade_id": ref(env, "grade_silver").id}),
        ],
        "floor_grade_id": ref(env, "grade_bronze").id,
    })
    policy.with_user(manager).action_approve()
    name_record(env, "tier_policy", policy)
    for name, values in (
        ("tier_review_year", {"date_to": last_day, "effective_date": last_day + relativedelta(days=1)}),
        ("tier_review_interim", {"kind": "interim"}),
    ):
        review = env["channel.tier.review"].create({"rule_id": policy.id, **values})
        review.action_compute()
        name_record(env, name, review)
        if name == "tier_review_year":
            review.with_user(manager).action_approve()
