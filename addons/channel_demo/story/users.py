"""One person for each position. Who writes a document never approves it, so the story needs them."""

from odoo import Command

from .common import name_record, ref

PEOPLE = {
    # external id: (name, login, groups, regions)
    "user_sales_east": ("Lin Xiaodong", "sales.east", ["group_channel_sales"], ["cn_area_east"]),
    "user_sales_north": ("Zhao Bei", "sales.north", ["group_channel_sales"], ["cn_area_north"]),
    "user_manager": ("Chen Guanli", "manager", ["group_channel_manager"], []),
    "user_pricing": ("Wu Jiage", "pricing", ["group_channel_pricing"], []),
    "user_contract": ("He Tong", "contract", ["group_channel_contract"], []),
    "user_finance": ("Qian Caiwu", "finance", ["group_channel_finance"], []),
    "user_compliance": ("Fang Hegui", "compliance", ["group_channel_compliance"], []),
    "user_executive": ("Zong Jingli", "executive", ["group_channel_executive"], []),
    "user_auditor": ("Shen Ji", "auditor", ["group_channel_auditor"], []),
}
PASSWORD = "channel"  # also in data/logins.csv, which is what `./channel demo` prints


def run(env):
    companies = env.company | ref(env, "company_hk")
    users = env["res.users"].with_context(no_reset_password=True)
    for name, (person, login, groups, regions) in PEOPLE.items():
        user = users.create({
            "name": person,
            "login": login,
            "password": PASSWORD,
            "email": f"{login}@huachen.example.com",
            "company_id": env.company.id,
            "company_ids": [Command.set(companies.ids)],
            "tz": "Asia/Shanghai",
            # One of them works in Chinese, so that both languages are one click away.
            "lang": "zh_CN" if login == "sales.north" else "en_US",
            "group_ids": [Command.set([
                env.ref("base.group_user").id,
                *(env.ref(f"channel_base.{group}").id for group in groups),
            ])],
            "channel_region_ids": [
                Command.set([env.ref(f"channel_l10n_cn.{region}").id for region in regions])
            ],
        })
        name_record(env, name, user)
    warehouse = users.create({
        "name": "Cang Ku",
        "login": "warehouse",
        "password": PASSWORD,
        "email": "warehouse@huachen.example.com",
        "company_id": env.company.id,
        "company_ids": [Command.set(env.company.ids)],
        "tz": "Asia/Shanghai",
        "group_ids": [Command.set([
            env.ref("base.group_user").id,
            env.ref("stock.group_stock_user").id,
        ])],
    })
    name_record(env, "user_warehouse", warehouse)
    env.ref("base.user_admin").tz = "Asia/Shanghai"
