"""What the gate stopped: an order of a dealer whose licence ran out, and one outside the territory."""

from odoo import Command

from odoo.addons.channel_base.tools.gate import GateRefusal

from .common import name_record, products, ref


def run(env):
    device = products(env).filtered(
        lambda product: product.product_tmpl_id.channel_device_class == "III"
    )[0]
    hospital_at_home = ref(env, "hospital_350000_000")
    hospital_elsewhere = ref(env, "hospital_110000_000")
    for name, dealer, hospital in (
        ("order_lapsed", ref(env, "dealer_D009"), hospital_at_home),
        ("order_breach", ref(env, "dealer_D001"), hospital_elsewhere),
    ):
        order = env["sale.order"].create({
            "partner_id": dealer.id,
            "channel_end_customer_id": hospital.id,
            "user_id": ref(env, "user_sales_east").id,
            "order_line": [Command.create({"product_id": device.id, "product_uom_qty": 10})],
        })
        name_record(env, name, order)
        env.flush_all()
        try:
            with env.cr.savepoint():
                order.with_user(ref(env, "user_sales_east")).action_confirm()
        except GateRefusal:
            continue
        raise AssertionError(f"The gate let {name} pass: the story does not hold any more.")
