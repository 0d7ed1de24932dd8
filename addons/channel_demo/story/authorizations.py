"""What makes the matrix telling: beside the year's authorizations an exclusive one, one that runs out, one for some
products only, one of a sub-dealer within its dealer's, and one that was revoked; also a salesperson's authority and a
filing that its office has suspended. All of it is invented.
"""

from dateutil.relativedelta import relativedelta

from odoo import Command

from . import calendar
from .common import admit, credit_code, name_record, ref


def run(env):
    compliance, manager = ref(env, "user_compliance"), ref(env, "user_manager")
    today = calendar.today()
    _authorise(env, "exclusive", "D005", "430000", ["Orthopaedics"], exclusive=True)
    _authorise(env, "expiring", "D002", "210000", date_to=today + relativedelta(days=40))
    _authorise(env, "by_category", "D003", "330000", ["Surgery", "Ophthalmology"])
    revoked = _authorise(env, "revoked", "D008", "130000")
    revoked.with_user(manager).action_revoke(
        reason="Sold to a hospital outside its territory a second time", date=today - relativedelta(days=12)
    )
    _sub_dealer(env)
    authority = env["channel.salesperson.authority"].with_user(compliance).create({
        "user_id": ref(env, "user_sales_east").id,
        "identity_number": "DEMO-ID-0001",
        "company_id": env.company.id,
        "all_products": True,
        "region_ids": [Command.set(env.ref("channel_l10n_cn.cn_area_east").ids)],
        "date_from": calendar.first_day(),
        "date_to": today + relativedelta(months=8),
    })
    authority.with_user(manager).action_approve()
    name_record(env, "authority_sales_east", authority.sudo())
    filing = ref(env, "dealer_D008").channel_qualification_ids.filtered(
        lambda document: document.type_id.code == "cn_trading_filing"
    )
    filing.with_user(compliance).action_suspend(
        reason="The office inspects the warehouse after a complaint", date=today - relativedelta(days=9)
    )


def _authorise(env, name, code, region, groups=(), **values):
    """Written by Compliance, approved by the manager."""
    categories = env["product.category"].search([("name", "in", groups)])
    authorization = env["channel.authorization"].with_user(ref(env, "user_compliance")).create({
        "partner_id": ref(env, f"dealer_{code}").id,
        "all_products": not groups,
        "product_categ_ids": [Command.set(categories.ids)],
        "region_ids": [Command.set(env.ref(f"channel_l10n_cn.cn_{region}").ids)],
        "date_from": calendar.first_day(),
        "date_to": calendar.today() + relativedelta(months=14),
        **values,
    })
    authorization.with_user(ref(env, "user_manager")).action_approve()
    return name_record(env, f"authorization_{name}", authorization.sudo())


def _sub_dealer(env):
    """Sells for the dealer of Fuzhou in one city: never more than that dealer may itself."""
    manager, compliance = ref(env, "user_manager"), ref(env, "user_compliance")
    start = calendar.first_day() - relativedelta(months=8)
    dealer = env["res.partner"].with_user(manager).create({
        "name": "Fuzhou Cangshan Medical Co., Ltd.",
        "is_company": True,
        "channel_role": "sub_distributor",
        "channel_parent_id": ref(env, "dealer_D001").id,
        "ref": "DEMO-D011",
        "channel_code": "D011",
        "vat": credit_code("350104", 11),
        "street": "No. 11 Demonstration Avenue",
        "city": "福州市",
        "state_id": env.ref("base.state_cn_FJ").id,
        "country_id": env.ref("base.cn").id,
        "email": "d011@dealer.example.com",
        "grade_id": ref(env, "grade_bronze").id,
        "lang": "zh_CN",
    }).sudo()
    name_record(env, "dealer_D011", dealer)
    documents = env["channel.qualification"].with_user(manager).create([
        {
            "partner_id": dealer.id,
            "type_id": env.ref(f"channel_l10n_cn.qualification_type_{kind}").id,
            "number": number,
            "issue_date": start,
            "expiry_date": expires,
            "issuer": "Market supervision authority (demonstration)",
        }
        for kind, number, expires in (
            ("uscc", dealer.vat, False),
            ("trading_licence", f"闽榕药监械经营许{start.year}1011号", start + relativedelta(years=5, days=-1)),
            ("trading_filing", f"闽榕药监械经营备{start.year}2011号", False),
        )
    ])
    documents[1]._apply_scope_text("2017年分类目录：Ⅲ类：03，13")
    documents.with_user(compliance).action_verify()
    admit(env, dealer, "Named by its dealer, documents verified")
    _authorise(env, "sub_dealer", "D011", "350100", ["Cardiovascular"])
