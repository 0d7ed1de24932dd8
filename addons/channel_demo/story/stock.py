"""Stock by lot: enough for the year, some of it near its expiry."""

from datetime import datetime, time

from dateutil.relativedelta import relativedelta

from . import calendar
from .common import name_record, products

# Suffix of the lot, months to its expiry counted from today, quantity.
LOTS = (("A", 4, 40), ("B", 22, 260))
REORDER_POINT, REORDER_QUANTITY = 120, 160


def run(env):
    devices = env["product.product"].search([
        ("default_code", "like", "HC-"), ("tracking", "=", "lot")
    ], order="default_code", limit=20)
    for suffix, months, quantity in LOTS:
        lots = receive(env, devices, f"{calendar.first_day():%y%m}{suffix}", calendar.first_day(), months, quantity)
    name_record(env, "lot_first", lots[0])


def replenish(env, month):
    """What a factory does each month: bring what runs low back up, in a lot of its own."""
    low = products(env).filtered(lambda device: device.qty_available < REORDER_POINT)
    if low:
        receive(env, low, f"{month:%y%m}R", month, 20, REORDER_QUANTITY)


def receive(env, devices, name, day, months, quantity):
    """Put a lot of each device into stock, made ten days before ``day``, that expires ``months`` from today."""
    location = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1).lot_stock_id
    lots = env["stock.lot"].create([
        {
            "name": f"{name}{device.default_code[-3:]}",
            "product_id": device.id,
            "company_id": env.company.id,
            "channel_production_date": day - relativedelta(days=10),
            "expiration_date": datetime.combine(calendar.today() + relativedelta(months=months), time(8)),
        }
        for device in devices
    ])
    env["stock.quant"].with_context(inventory_mode=True).create([
        {
            "product_id": lot.product_id.id,
            "location_id": location.id,
            "lot_id": lot.id,
            "inventory_quantity": quantity,
        }
        for lot in lots
    ]).action_apply_inventory()
    return lots
