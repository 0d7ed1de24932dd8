"""Dealers apply, their documents are verified by somebody else, and they are admitted and authorised."""

from dateutil.relativedelta import relativedelta

from odoo import Command

from . import calendar
from .common import DEALERS, admit, credit_code, name_record, ref
from .users import PASSWORD

# Its trading licence ran out last month, and nobody noticed until the gate did.
LAPSED = {"D009": ("Quanzhou Jinjiang Medical Co., Ltd.", "350000", "泉州市", "350502", "闽", "泉", "bronze")}
APPLICANT = {"D010": ("Qingdao Laoshan Medical Co., Ltd.", "370000", "青岛市", "370202", "鲁", "青", "bronze")}
# As licences print it: the catalogue of 2017, and reagents, which that of 2002 keeps.
SCOPE = "2017年分类目录：{device_class}：01-22；2002年分类目录：{device_class}：6840体外诊断试剂（需低温冷藏运输贮存）"
PORTAL = {"D001": ("dealer", "Lin Minjiang"), "D004": ("dealer2", "Wang Ruikang")}
TIERS = {"gold": "Gold", "silver": "Silver", "bronze": "Bronze"}


def run(env):
    for position, (name, label) in enumerate(TIERS.items()):
        name_record(env, f"grade_{name}", env["res.partner.grade"].create({
            "name": label, "sequence": position + 1,
        }))
    for number, (code, facts) in enumerate({**DEALERS, **LAPSED, **APPLICANT}.items(), start=1):
        dealer = _apply(env, code, number, facts)
        if code in APPLICANT:
            continue
        _qualify(env, dealer, code, number, facts)
        admit(env, dealer, "Documents complete and verified")
        _authorise(env, dealer, facts)
    _portal_users(env)


def _apply(env, code, number, facts):
    name, province, city, area, _letter, _city_letter, tier = facts
    dealer = env["res.partner"].with_user(ref(env, "user_manager")).create({
        "name": name,
        "is_company": True,
        "channel_role": "distributor",
        "ref": f"DEMO-{code}",
        "channel_code": code,
        "vat": credit_code(area, number),
        "street": f"No. {number} Demonstration Avenue",
        "city": city,
        "state_id": env.ref(f"channel_l10n_cn.cn_{province}").state_id.id,
        "country_id": env.ref("base.cn").id,
        "email": f"{code.lower()}@dealer.example.com",
        "grade_id": ref(env, f"grade_{tier}").id,
        "lang": "zh_CN",
    })
    return name_record(env, f"dealer_{code}", dealer.sudo())


def _qualify(env, dealer, code, number, facts):
    letters = facts[4] + facts[5]
    start = calendar.first_day() - relativedelta(months=14)
    expiry = start + relativedelta(years=5, days=-1)
    if code in LAPSED:
        expiry = calendar.today() - relativedelta(days=20)
        start = expiry - relativedelta(years=5, days=-1)
    elif code in ("D003", "D007"):
        # Comes up for renewal: seen by the alerts and by the board, still in force today.
        expiry = calendar.today() + relativedelta(days=70 if code == "D003" else 25)
        start = expiry - relativedelta(years=5, days=-1)
    documents = [
        ("cn_uscc", dealer.vat, start, False, False),
        ("cn_trading_licence", f"{letters}药监械经营许{start.year}{1000 + number}号", start, expiry, "Ⅲ类"),
        ("cn_trading_filing", f"{letters}药监械经营备{start.year}{2000 + number}号", start, False, "Ⅱ类"),
    ]
    entered = env["channel.qualification"].with_user(ref(env, "user_manager")).create([
        {
            "partner_id": dealer.id,
            "type_id": env["channel.qualification.type"].search([("code", "=", kind)]).id,
            "number": document_number,
            "issue_date": issued,
            "expiry_date": expires,
            "issuer": "Market supervision authority (demonstration)",
        }
        for kind, document_number, issued, expires, _scope in documents
    ])
    for document, (*_facts, scope) in zip(entered, documents, strict=True):
        if scope:
            document._apply_scope_text(SCOPE.format(device_class=scope))
    entered.with_user(ref(env, "user_compliance")).action_verify()


def _authorise(env, dealer, facts):
    region = env.ref(f"channel_l10n_cn.cn_{facts[1]}")
    authorization = env["channel.authorization"].with_user(ref(env, "user_compliance")).create({
        "partner_id": dealer.id,
        "all_products": True,
        "region_ids": [Command.set(region.ids)],
        "date_from": calendar.first_day() - relativedelta(months=2),
        "date_to": calendar.today() + relativedelta(months=14),
    })
    authorization.with_user(ref(env, "user_manager")).action_approve()


def _portal_users(env):
    for code, (login, person) in PORTAL.items():
        contact = env["res.partner"].create({
            "name": person,
            "parent_id": ref(env, f"dealer_{code}").id,
            "email": f"{login}@dealer.example.com",
            "lang": "zh_CN",
        })
        user = env["res.users"].with_context(no_reset_password=True).create({
            "name": person,
            "login": login,
            "password": PASSWORD,
            "partner_id": contact.id,
            "lang": "zh_CN",
            "company_id": env.company.id,
            "company_ids": [Command.set(env.company.ids)],
            "group_ids": [Command.set([env.ref("base.group_portal").id])],
            "tz": "Asia/Shanghai",
        })
        name_record(env, f"user_{login}", user)
