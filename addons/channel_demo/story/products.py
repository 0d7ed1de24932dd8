"""The catalogue: devices with their class, catalogue code and registration, tracked by lot or serial number.

The numbers of the certificates are invented: right in form, with serials that no authority has given.
"""

import csv

from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.tools import file_open

from . import calendar
from .common import name_record, ref


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
            "channel_is_ivd": row["is_ivd"] == "1",
        })
    products = env["product.product"].create(values)
    for product, row in zip(products, rows, strict=True):
        product.product_tmpl_id.with_context(lang="zh_CN").name = row["name_zh"]
        name_record(env, f"product_{row['product_code'].replace('-', '_')}", product)
    _register(env, products, rows)


def _register(env, products, rows):
    """Certificates of registration, class I filings: entered by the manager, verified by Compliance."""
    start = calendar.first_day() - relativedelta(months=14)
    types = {
        kind.code: kind
        for kind in env["channel.qualification.type"].search([("code", "in", ("cn_registration", "cn_class1_filing"))])
    }
    certificates = env["channel.registration"].with_user(ref(env, "user_manager")).create([
        {
            "type_id": types["cn_class1_filing" if row["device_class"] == "I" else "cn_registration"].id,
            "number": row["registration_number"],
            "name": row["name_zh"],
            "device_class": row["device_class"],
            "is_ivd": row["is_ivd"] == "1",
            "category_ids": [Command.set(product.channel_category_ids.ids)],
            "holder_id": env.company.partner_id.id,
            "issuer": "Drug administration (demonstration)",
            "valid_from": start,
            "valid_to": False if row["device_class"] == "I" else start + relativedelta(years=5, days=-1),
            "product_tmpl_ids": [Command.set(product.product_tmpl_id.ids)],
        }
        for product, row in zip(products, rows, strict=True)
    ])
    certificates.with_user(ref(env, "user_compliance")).action_confirm()
