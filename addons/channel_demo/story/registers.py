"""An official list of trading licences, imported as a file, and what looking the dealers up in it says.

The list is invented, like the licences that it holds: an extract as a provincial office publishes it.
"""

import base64
import csv
import io

from dateutil.relativedelta import relativedelta

from . import calendar
from .admissions import applications, licence_number
from .common import name_record, ref

HEADER = ("许可证编号", "企业名称", "统一社会信用代码", "发证日期", "有效期至", "状态")
LISTED = ("D001", "D002", "D003", "D004", "D005")
# The office has another last day than the document that we were shown.
DIFFERS = "D005"


def run(env):
    compliance = ref(env, "user_compliance")
    register = env["channel.register.list"].with_user(compliance).create({
        "name": "Trading licences of medical devices (demonstration extract)",
        "authority": "Market supervision authority (demonstration)",
        "country_id": env.ref("base.cn").id,
        "type_ids": [(6, 0, env.ref("channel_l10n_cn.qualification_type_trading_licence").ids)],
        "auto_verify": False,
    })
    name_record(env, "register_trading_licences", register.sudo())
    licences = env["channel.qualification"].search([
        ("type_id.code", "=", "cn_trading_licence"), ("partner_id.channel_code", "in", LISTED),
    ], order="partner_id")
    upload = env["channel.register.import"].with_user(compliance).create({
        "list_id": register.id,
        "file_name": "trading_licences.csv",
        "file": base64.b64encode(_file(licences)),
        "as_of": calendar.today() - relativedelta(days=6),
    })
    upload.action_import()
    licences.with_user(compliance).action_verify_in_register()


def _file(licences):
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(HEADER)
    for licence in licences:
        member = licence.partner_id
        ends = licence.expiry_date - relativedelta(months=6 if member.channel_code == DIFFERS else 0)
        rows.writerow((licence.number, member.name, member.vat, licence.issue_date, ends, "有效"))
    # The applicant of Suzhou: another last day, so that its application says so by itself.
    facts = applications()["suzhou"]
    rows.writerow((
        licence_number(facts), facts["name"], facts["vat"], facts["issued"], facts["expires"] - relativedelta(years=1),
        "有效",
    ))
    return text.getvalue().encode("utf-8-sig")
