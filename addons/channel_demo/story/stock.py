"""Stock by lot: enough for the year, some of it near its expiry."""

from datetime import datetime, time

from dateutil.relativedelta import relativedelta

from . import calendar
from .common import name_record

LOTS = (
    # suffix, months to expiry counted from today, quantity
    ("A", 4, 260),
    ("B", 22, 1400),
)


def run(env):
    location = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1).lot_stock_id
    devices = env["product.product"].search([
        ("default_code", "like", "HC-"), ("is_storable", "=", True)
    ], order="default_code", limit=24)
    made = calendar.first_day() - relativedelta(months=1)
    lots = env["stock.lot"].create([
        {
            "name": f"{made:%y%m}{suffix}{device.default_code[-3:]}",
            "product_id": device.id,
            "company_id": env.company.id,
            "expiration_date": datetime.combine(
                calendar.today() + relativedelta(months=months), time(8)
            ),
        }
        for device in devices.filtered(lambda device: device.tracking == "lot")
        for suffix, months, _quantity in LOTS
    ])
    quantities = {suffix: quantity for suffix, _months, quantity in LOTS}
    quants = env["stock.quant"].with_context(inventory_mode=True).create([
        {
            "product_id": lot.product_id.id,
            "location_id": location.id,
            "lot_id": lot.id,
            "inventory_quantity": quantities[lot.name[4]],
        }
        for lot in lots
    ])
    quants.action_apply_inventory()
    name_record(env, "lot_first", lots[0])
