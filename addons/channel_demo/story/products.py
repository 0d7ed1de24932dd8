"""The catalogue: devices with their class, catalogue code and registration, tracked by lot or serial number."""

import csv

from odoo import Command
from odoo.tools import file_open

from .common import name_record


def run(env):
    categories = {
        (category.scheme, category.code): category.id
        for category in env["channel.device.category"].search([])
    }
    groups = {}
    values = []
    with file_open("channel_demo/data/products.csv", "r") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        group = groups.get(row["group"])
        if not group:
            group = groups[row["group"]] = env["product.category"].create({"name": row["group"]})
        codes = [
            categories[key]
            for key in (("cn_2017", row["category_2017"]), ("cn_2002", row["category_2002"]))
            if key in categories
        ]
        shelf_life = int(row["shelf_life_days"] or 0)
        values.append({
            "name": row["name_en"],
            "default_code": row["product_code"],
            "barcode": row["gtin"],
            "type": "consu",
            "is_storable": True,
            "tracking": row["tracking"],
            "categ_id": group.id,
            "list_price": float(row["list_price"]),
            "standard_price": float(row["cost"]),
            "invoice_policy": "delivery",
            "use_expiration_date": bool(shelf_life) and row["tracking"] != "none",
            "expiration_time": shelf_life,
            "removal_time": 30,
            "alert_time": 180,
            "channel_device_class": row["device_class"],
            "channel_category_ids": [Command.set(codes)],
            "channel_registration_number": row["registration_number"],
            "channel_is_ivd": row["is_ivd"] == "1",
        })
    products = env["product.product"].create(values)
    for product, row in zip(products, rows, strict=True):
        product.product_tmpl_id.with_context(lang="zh_CN").name = row["name_zh"]
        name_record(env, f"product_{row['product_code'].replace('-', '_')}", product)
