"""The maker: a company in Shanghai on the Chinese chart, and its trading arm in Hong Kong."""

import base64

from odoo import Command
from odoo.tools import file_open

from . import calendar


def run(env):
    # Does nothing where `--load-language` has loaded it, with all its terms, before.
    env["res.lang"]._activate_lang("zh_CN")
    company = env.ref("base.main_company")
    company.write({
        "name": "Huachen Medical (Shanghai) Co., Ltd.",
        "street": "No. 88 Demonstration Road, Zhangjiang",
        "city": "上海市",
        "zip": "201203",
        "state_id": env.ref("base.state_cn_SH").id,
        "country_id": env.ref("base.cn").id,
        "email": "hello@huachen.example.com",
        "phone": "+86 21 5555 0100",
        "logo": _logo(),
    })
    # Days begin and end where the company is, whoever looks and from wherever.
    company.partner_id.tz = "Asia/Shanghai"
    cny = env.ref("base.CNY")
    usd = env.ref("base.USD")
    (cny | usd | env.ref("base.HKD")).active = True
    _load_chart(env, "cn", company)
    company.currency_id = cny
    company.tax_lock_date = False

    hong_kong = env["res.company"].create({
        "name": "Huachen Medical (Hong Kong) Ltd.",
        "country_id": env.ref("base.hk").id,
        "city": "Hong Kong",
        "currency_id": usd.id,
        "email": "hk@huachen.example.com",
    })
    env["ir.model.data"].create({
        "module": "channel_demo",
        "name": "company_hk",
        "model": "res.company",
        "res_id": hong_kong.id,
        "noupdate": True,
    })
    hong_kong.partner_id.tz = "Asia/Hong_Kong"
    _load_chart(env, "generic_coa", hong_kong)
    hong_kong.currency_id = usd
    env.ref("base.user_admin").company_ids = [Command.link(hong_kong.id)]
    env.ref("base.user_root").company_ids = [Command.link(hong_kong.id)]

    # One rate a month, as a finance department keeps them: units of the currency for one CNY.
    for month_start in calendar.months():
        env["res.currency.rate"].create([
            {
                "name": month_start,
                "currency_id": usd.id,
                "company_id": company.id,
                "inverse_company_rate": 7.1 + (month_start.month % 4) * 0.05,
            },
            {
                "name": month_start,
                "currency_id": cny.id,
                "company_id": hong_kong.id,
                "company_rate": 7.1 + (month_start.month % 4) * 0.05,
            },
        ])
    features = env["res.config.settings"].create({
        "group_product_pricelist": True,
        "group_stock_production_lot": True,
        "module_product_expiry": True,
        "group_uom": True,
        "group_multi_currency": True,
    })
    features.execute()


def _logo():
    with file_open("channel_demo/static/img/logo.png", "rb") as file:
        return base64.b64encode(file.read())


def _load_chart(env, code, company):
    # ``try_loading`` warns while add-ons are being installed. The story is told when the last of
    # them is in, so that the registry is whole although it does not say so yet.
    env["account.chart.template"]._load(code, company, install_demo=False)
