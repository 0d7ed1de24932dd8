"""The price table: segments by area, hospital grade and tier, and more than a thousand prices from a file."""

import base64

from odoo.tools import file_open

from .common import name_record, ref

AREAS = {"E": ("East China", "cn_area_east"), "N": ("North China", "cn_area_north"),
         "C": ("Central China", "cn_area_central"), "SW": ("Southwest China", "cn_area_southwest")}


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
    pricing = ref(env, "user_pricing")
    batch = env["channel.price.import"].with_user(pricing).create({
        "pricelist_id": table.id,
        "file": content,
        "file_name": "price_table.xlsx",
    })
    batch.action_check()
    batch.action_apply()
