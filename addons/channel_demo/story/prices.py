"""The price table: segments by area, hospital grade and tier, and more than a thousand prices from a file."""

import base64
import csv

from odoo.tools import file_open

from .common import name_record, ref


def run(env):
    table = env["product.pricelist"].create({
        "name": "Channel price table (CNY)",
        "currency_id": env.ref("base.CNY").id,
        "company_id": env.company.id,
    })
    name_record(env, "price_table", table)
    _segments(env)
    with file_open("channel_demo/data/price_table.xlsx", "rb") as file:
        content = base64.b64encode(file.read())
    batch = env["channel.price.import"].with_user(ref(env, "user_pricing")).create({
        "pricelist_id": table.id,
        "file": content,
        "file_name": "price_table.xlsx",
    })
    batch.action_check()
    batch.action_apply()


def _segments(env):
    """Area x hospital grade x tier: the member by tier, the end customer by region and grade."""
    grades = {
        grade.code: grade.id
        for grade in env["channel.hospital.grade"].search([("country_id", "=", env.ref("base.cn").id)])
    }
    with file_open("channel_demo/data/segments.csv", "r") as file:
        for row in csv.DictReader(file):
            region = env.ref(f"channel_l10n_cn.cn_area_{row['area_code']}")
            segment = env["channel.segment"].create({
                "name": row["name_en"],
                "code": row["segment_code"],
                "sequence": int(row["sequence"]),
                "member_domain": repr([("grade_id", "=", ref(env, f"grade_{row['tier']}").id)]),
                "customer_domain": repr([
                    ("channel_region_id", "child_of", region.id),
                    ("channel_hospital_grade_id", "in", [grades[code] for code in row["grades"].split()]),
                ]),
            })
            segment.with_context(lang="zh_CN").name = row["name_zh"]
