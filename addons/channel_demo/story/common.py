"""What the chapters share: the add-on's own external ids and the cast."""

from dateutil.relativedelta import relativedelta
from stdnum.cn import uscc

from . import calendar

# code: (name, province, city, GB/T 2260 code, province letter, city letter, tier)
DEALERS = {
    "D001": ("Fuzhou Minjiang Medical Devices Co., Ltd.", "350000", "福州市", "350102", "闽", "榕", "gold"),
    "D002": ("Jinan Baotu Medical Co., Ltd.", "370000", "济南市", "370102", "鲁", "济", "gold"),
    "D003": ("Shanghai Bohua Medical Supply Co., Ltd.", "310000", "上海市", "310115", "沪", "浦", "silver"),
    "D004": ("Beijing Ruikang Medical Co., Ltd.", "110000", "北京市", "110108", "京", "海", "gold"),
    "D005": ("Wuhan Chutian Medical Co., Ltd.", "420000", "武汉市", "420106", "鄂", "汉", "silver"),
    "D006": ("Chongqing Yuzhong Medical Co., Ltd.", "500000", "重庆市", "500103", "渝", "中", "silver"),
    "D007": ("Xiamen Lujiang Medical Co., Ltd.", "350000", "厦门市", "350203", "闽", "厦", "bronze"),
    "D008": ("Tianjin Haihe Medical Co., Ltd.", "120000", "天津市", "120101", "津", "和", "bronze"),
}


def ref(env, name):
    return env.ref(f"channel_demo.{name}")


def name_record(env, name, record):
    """Give a record the external id ``channel_demo.<name>``.

    Chapters hand over ``record.sudo()``: a record made in the name of one person goes on in that of the installer, who
    tells the story while the add-on is installed and has all rights anyway. Nothing of it can be called from outside.
    """
    env["ir.model.data"].create({
        "module": "channel_demo",
        "name": name,
        "model": record._name,
        "res_id": record.id,
        "noupdate": True,
    })
    return record


def credit_code(area, number):
    """An invented unified social credit code of a district: right in form and check character."""
    body = f"91{area}MA{number:06d}".ljust(17, "0")
    return body + uscc.calc_check_digit(body)


def admit(env, dealer, reason):
    """Compliance admits a dealer, which had been one for two months when the story's year began."""
    dealer = dealer.with_user(ref(env, "user_compliance"))
    dealer.action_channel_activate(reason=reason)
    dealer._channel_change(
        {"channel_state": "active"}, date=calendar.first_day() - relativedelta(months=2), reason=reason
    )


def dealers(env):
    """The dealers that trade all through the year, in the order of their codes."""
    return env["res.partner"].search([("channel_code", "in", list(DEALERS))], order="channel_code")


def hospitals_of(env, dealer):
    """Hospitals in the regions that the dealer is authorised for."""
    regions = dealer.channel_authorization_ids.region_ids
    return env["res.partner"].search([
        ("channel_role", "=", "hospital"),
        ("channel_region_id", "child_of", regions.ids),
    ], order="id", limit=12)


def products(env):
    """Devices that the story trades: those that lie in stock."""
    return env["product.product"].search([
        ("default_code", "like", "HC-"), ("qty_available", ">", 0)
    ], order="default_code")
