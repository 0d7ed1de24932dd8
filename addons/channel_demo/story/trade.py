"""A year of orders, deliveries by lot, invoices, credit notes and payments.

Every document is made the way a person makes it (confirm, validate, invoice, post), so that the
gate sees each one; only then it gets its day in the past, since Odoo stamps such steps with now.
"""

from datetime import datetime, time, timedelta
from random import Random

from odoo import Command

from . import calendar
from .common import dealers, hospitals_of, products, ref
from .stock import replenish

SEED = 20260101
SALES_TO_RETURN = 11  # every eleventh invoice has a line returned
LATE_PAYERS = {"D004", "D007"}


def run(env):
    random = Random(SEED)
    payment_journal = env["account.journal"].search([
        ("type", "=", "bank"), ("company_id", "=", env.company.id)
    ], limit=1)
    counter = 0
    for month in calendar.months()[:-1]:
        replenish(env, month)
        catalogue = products(env)
        for dealer in dealers(env):
            hospitals = hospitals_of(env, dealer)
            for _visit in range(1 if random.random() < 0.45 else 2):
                day = month + timedelta(days=random.randrange(1, 26))
                counter += 1
                order = _order(env, random, dealer, random.choice(hospitals), catalogue, day)
                deliver(order, day + timedelta(days=2))
                bill = invoice(order, day + timedelta(days=3))
                if counter % SALES_TO_RETURN == 0:
                    _credit(env, bill, day + timedelta(days=10))
                if dealer.channel_code not in LATE_PAYERS or random.random() < 0.4:
                    _pay(env, bill, payment_journal, day + timedelta(days=random.randrange(8, 40)))
    replenish(env, calendar.months()[-1])
    _quotations(env, random, products(env))


def _order(env, random, dealer, hospital, catalogue, day, confirm=True):
    lines = random.sample(catalogue, k=random.randrange(3, 7))
    order = env["sale.order"].create({
        "partner_id": dealer.id,
        "channel_end_customer_id": hospital.id,
        "user_id": ref(env, "user_sales_east").id if random.random() < 0.5 else False,
        "date_order": datetime.combine(day, time(2)),
        "order_line": [
            Command.create({
                "product_id": product.id,
                "product_uom_qty": random.choice((2, 5, 10, 10, 15)),
            })
            for product in lines
        ],
    })
    if confirm:
        order.action_confirm()
        order.date_order = datetime.combine(day, time(2))
    return order


def deliver(order, day):
    """Deliver all of an order from the lots that are reserved first, on a day in the past."""
    for picking in order.picking_ids:
        picking.action_assign()
        picking.button_validate()
        stamp = datetime.combine(day, time(3))
        picking.write({"date_done": stamp})
        picking.move_ids.write({"date": stamp})
        picking.move_ids.move_line_ids.write({"date": stamp})


def invoice(order, day):
    """Invoice what was delivered, and post it on a day in the past."""
    bill = order._create_invoices()
    bill.invoice_date = day
    bill.action_post()
    return bill


def _credit(env, invoice, day):
    """Half of the first line comes back: credited in the month of the return."""
    wizard = (
        env["account.move.reversal"]
        .with_context(active_model="account.move", active_ids=invoice.ids)
        .create({
            "reason": "Returned unopened, packaging damaged",
            "journal_id": invoice.journal_id.id,
            "date": day,
        })
    )
    refund = env["account.move"].browse(wizard.refund_moves()["res_id"])
    first, *others = refund.invoice_line_ids.filtered(lambda line: line.display_type == "product")
    first.quantity = max(1, first.quantity // 2)
    for line in others:
        line.unlink()
    refund.invoice_date = day
    refund.action_post()


def _pay(env, invoice, journal, day):
    if day >= calendar.today():
        return
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    ).create({"journal_id": journal.id, "payment_date": day}).action_create_payments()


def _quotations(env, random, catalogue):
    """What is still open today, so that conversion and the sales board have something to show."""
    for dealer in dealers(env):
        hospital = random.choice(hospitals_of(env, dealer))
        _order(
            env, random, dealer, hospital, catalogue,
            calendar.today() - timedelta(days=random.randrange(1, 20)), confirm=False,
        )
