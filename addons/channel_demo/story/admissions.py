"""Applications in every state, handed in by strangers as on the portal, and a re-audit that has come due.

Companies, people, numbers and findings are invented. The one that is accepted sends its licences as PDF with a text
layer: what is read from them is what it confirms, and nobody of ours types anything.
"""

import io
from datetime import date

from dateutil.relativedelta import relativedelta
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from . import calendar
from .common import credit_code, name_record, ref
from .members import SCOPE

FONT = "STSong-Light"  # Chinese, known to every PDF reader: nothing is embedded


def _application(name, person, province, city, area, letters, number, days_left=1000, **values):
    expires = calendar.today() + relativedelta(days=days_left)
    return {
        "name": name, "person": person, "province": province, "city": city, "vat": credit_code(area, number),
        "letters": letters, "number": number, "expires": expires,
        "issued": expires - relativedelta(years=5, days=-1), "values": values,
    }


def applications():
    """The cast, by city; the dates count from today."""
    return {
        "nanjing": _application("南京钟山示范医疗器械有限公司", "江一帆", "江苏省", "南京市", "320102", "苏宁", 701),
        # Shares its legal representative with a member, differs from the official list, and expires soon: high risk.
        "suzhou": _application(
            "苏州沧浪示范医疗器械有限公司", "钱博华", "江苏省", "苏州市", "320508", "苏苏", 702, days_left=60,
            regions=["320500"],
        ),
        "hefei": _application("合肥逍遥示范医疗器械有限公司", "方小庐", "安徽省", "合肥市", "340104", "皖合", 703),
        "ningbo": _application(
            "宁波甬江示范医疗器械有限公司", "徐甬江", "浙江省", "宁波市", "330203", "浙甬", 704,
            regions=["330200"], product_categories=["Cardiovascular", "Neurovascular"],
        ),
        "zhengzhou": _application("郑州商都示范医疗器械有限公司", "商中原", "河南省", "郑州市", "410105", "豫郑", 705),
    }


def run(env):
    ref(env, "dealer_D003").with_user(ref(env, "user_manager")).channel_legal_person = "钱博华"
    compliance = ref(env, "user_compliance")
    cast = applications()
    admissions = {city: _start(env, city, facts) for city, facts in cast.items()}
    for city in ("suzhou", "hefei", "ningbo", "zhengzhou"):
        _hand_in(admissions[city], cast[city], read=city == "ningbo")
    returned = admissions["hefei"].with_user(compliance).sudo(False)
    licence = returned.document_ids.filtered(lambda document: document.type_id.code == "cn_trading_licence")
    returned.action_return("Please send the licence again", {licence.id: "The page with the scope is cut off"})
    admissions["zhengzhou"].with_user(compliance).sudo(False).action_reject(
        "No warehouse of its own, and none of a third party under contract"
    )
    admissions["ningbo"].with_user(compliance).sudo(False).action_approve()
    name_record(env, "dealer_ningbo", admissions["ningbo"].partner_id)
    # Its yearly audit comes due in ten days: the nightly job opens it.
    ref(env, "dealer_D006").channel_next_audit_date = calendar.today() + relativedelta(days=10)
    env["channel.reaudit.rule"]._open_due()


def _start(env, city, facts):
    """What a visitor without an account fills in; superuser rights as the portal has, in the visitor's name."""
    visitor = env["channel.admission"].with_user(env.ref("base.public_user")).sudo()
    admission = visitor._portal_save({
        "company_id": env.company.id, "name": facts["name"], "role": "distributor", "vat": facts["vat"],
        "legal_person": facts["person"], "country": "CN", "state": facts["province"], "city": facts["city"],
        "street": "示范路1号", "contact_name": facts["person"], "email": f"{city}@applicant.example.com",
        "lang": "zh_CN", "device_classes": ["III"], **facts["values"],
    })
    return name_record(env, f"admission_{city}", admission)


def _hand_in(admission, facts, read):
    """Upload the licences, confirm what was read from them, or type it in, and submit."""
    typed = {"holder_name": facts["name"], "issue_date": facts["issued"].isoformat()}
    for kind, lines, values in (
        ("cn_uscc", _business_licence(facts), {**typed, "number": facts["vat"]}),
        ("cn_trading_licence", _trading_licence(facts), {
            **typed, "number": licence_number(facts), "expiry_date": facts["expires"].isoformat(),
            "scope_text": SCOPE.format(device_class="Ⅲ类"),
        }),
    ):
        content = _pdf(lines)
        document = admission._portal_add_document(kind, [{"name": f"{lines[0]}.pdf", "content": content}])
        if read:
            values = document._read_file(content)
        admission._portal_add_document(kind, **values)
    admission._submit()


def licence_number(facts):
    return f"{facts['letters']}药监械经营许{facts['issued'].year}{3000 + facts['number']}号"


def _business_licence(facts):
    return [
        "营业执照",
        f"统一社会信用代码：{facts['vat']}",
        f"名称：{facts['name']}",
        f"法定代表人：{facts['person']}",
        f"住所：{facts['city']}示范路1号",
        f"成立日期：{_words(facts['issued'])}",
        "营业期限：长期",
        f"登记机关：{facts['city']}市场监督管理局（示范）",
    ]


def _trading_licence(facts):
    return [
        "医疗器械经营许可证",
        f"许可证编号：{licence_number(facts)}",
        f"企业名称：{facts['name']}",
        f"法定代表人：{facts['person']}",
        f"住所：{facts['city']}示范路1号",
        "经营方式：批发",
        f"经营范围：{SCOPE.format(device_class='Ⅲ类')}",
        f"发证部门：{facts['city']}市场监督管理局（示范）",
        f"有效期限：自{_words(facts['issued'])}至{_words(facts['expires'])}",
    ]


def _words(day: date):
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def _pdf(lines):
    """A page with a text layer."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    output = io.BytesIO()
    page = canvas.Canvas(output)
    page.setFont(FONT, 11)
    for place, line in enumerate(lines):
        page.drawString(60, 780 - 24 * place, line)
    page.showPage()
    page.save()
    return output.getvalue()
