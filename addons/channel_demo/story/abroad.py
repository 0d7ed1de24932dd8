"""The trading arm in Hong Kong: a second company, in US dollars, with a dealer in Singapore."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import Command

from . import calendar
from .common import admit, name_record, products, ref
from .stock import receive
from .trade import deliver, invoice


def run(env):
    company = ref(env, "company_hk")
    env = env(context={**env.context, "allowed_company_ids": [company.id]})
    devices = products(env(context={**env.context, "allowed_company_ids": [env.ref("base.main_company").id]}))[:5]
    devices = devices.with_env(env)
    for device in devices:
        device.standard_price = device.with_company(env.ref("base.main_company")).standard_price / 7.2
    if not env["stock.warehouse"].search_count([("company_id", "=", company.id)]):
        env["stock.warehouse"].create({"name": "Hong Kong", "code": "HKG", "company_id": company.id})
    receive(env, devices, f"{calendar.first_day():%y%m}X", calendar.first_day(), 18, 120)

    singapore = env["channel.region"].create({
        "name": "Singapore", "code": "SG", "level": "country", "country_id": env.ref("base.sg").id,
    })
    dealer = env["res.partner"].with_user(ref(env, "user_manager")).create({
        "name": "Lion City Medical Pte. Ltd.",
        "is_company": True,
        "channel_role": "distributor",
        "channel_code": "D101",
        "ref": "DEMO-D101",
        "city": "Singapore",
        "country_id": env.ref("base.sg").id,
        "email": "d101@dealer.example.com",
        "grade_id": ref(env, "grade_silver").id,
        "company_id": company.id,
    }).sudo()
    name_record(env, "dealer_D101", dealer)
    admit(env, dealer, "Known for years")
    table = env["product.pricelist"].create({
        "name": "Export price table (USD)",
        "currency_id": env.ref("base.USD").id,
        "company_id": company.id,
        "item_ids": [
            Command.create({
                "applied_on": "0_product_variant",
                "product_id": device.id,
                "product_tmpl_id": device.product_tmpl_id.id,
                "compute_price": "fixed",
                "fixed_price": round(device.list_price / 7.2 * 0.8, 2),
            })
            for device in devices
        ],
    })
    name_record(env, "price_table_usd", table)
    env["channel.authorization"].with_user(ref(env, "user_compliance")).create({
        "partner_id": dealer.id,
        "company_id": company.id,
        "all_products": True,
        "region_ids": [Command.set(singapore.ids)],
        "date_from": calendar.first_day() - relativedelta(months=2),
    }).with_user(ref(env, "user_manager")).action_approve()
    contract = env["channel.contract"].with_user(ref(env, "user_contract")).create({
        "title": "Export distribution agreement, Singapore",
        "member_id": dealer.id,
        "company_id": company.id,
        "currency_id": env.ref("base.USD").id,
        "version_ids": [Command.create({
            "purpose": "First agreement",
            "valid_from": calendar.first_day() - relativedelta(months=1),
            "pricelist_id": table.id,
        })],
    })
    contract.version_ids.with_user(ref(env, "user_manager")).action_approve()
    name_record(env, "contract_D101", contract.sudo())
    for month in calendar.months()[8:-1]:
        day = month + timedelta(days=9)
        order = env["sale.order"].create({
            "partner_id": dealer.id,
            "order_line": [
                Command.create({"product_id": device.id, "product_uom_qty": 10}) for device in devices[:3]
            ],
        })
        order.action_confirm()
        order.date_order = day
        deliver(order, day + timedelta(days=3))
        invoice(order, day + timedelta(days=4))
