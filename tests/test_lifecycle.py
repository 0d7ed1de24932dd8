"""Upgrading and removing the suite leaves a working Odoo behind.

One clone of the prepared database is updated whole, then the suite is removed from the top down, one
add-on at a time. After each step Odoo must load, confirm and deliver an order, and leave no trace of what
was removed. Steps depend on those before, so they are one test with a message for each.
"""

import json
import subprocess

import pytest

from tools.common import LOGS
from tools.databases import addons, manifest

LOG = LOGS / "lifecycle.log"

# Runs in Odoo's shell: prints one line of JSON behind a mark, so that log lines do not matter.
WORKS = """
import json
from odoo import Command
customer = env["res.partner"].create({"name": "Lifecycle customer"})
product = env["product.product"].create({
    "name": "Lifecycle article", "type": "consu", "is_storable": True, "list_price": 10.0,
})
location = env["stock.warehouse"].search([], limit=1).lot_stock_id
env["stock.quant"]._update_available_quantity(product, location, 5)
order = env["sale.order"].create({
    "partner_id": customer.id,
    "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 2})],
})
order.action_confirm()
order.picking_ids.action_assign()
order.picking_ids.button_validate()
for view in env["ir.ui.view"].search([("model", "in", ["sale.order", "res.partner", "account.move"])]):
    view._check_xml()
env.cr.execute(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'channel\\\\_%'"
)
tables = sorted(name for [name] in env.cr.fetchall())
env.cr.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'channel\\\\_%'")
functions = sorted(name for [name] in env.cr.fetchall())
# Core has fields of that name too: only what the suite brought must go.
found = env["ir.model.fields"].search([("name", "=like", "channel\\\\_%")])
fields = [f"{field.model}.{field.name}" for field in found]
ours = [
    f"{field.model}.{field.name}" for field in found
    if set((field.modules or "").replace(" ", "").split(",")) & set(SUITE)
]
print("RESULT " + json.dumps({
    "order": order.state,
    "delivery": order.picking_ids.mapped("state"),
    "installed": env["ir.module.module"].search([
        ("name", "in", SUITE), ("state", "!=", "uninstalled")
    ]).mapped("name"),
    "tables": tables, "functions": functions, "fields": fields, "ours": ours,
}))
env.cr.rollback()
"""
# What a company has by the time it upgrades: data of a lower add-on that name fields of a higher one.
LIVED_IN = """
region = env["channel.region"].search([], limit=1)
member = env["res.partner"].create({
    "name": "Lifecycle member", "is_company": True, "channel_role": "distributor",
    "channel_region_manual_id": region.id,
})
segment = env["channel.segment"].create({
    "name": "Lifecycle segment", "member_domain": "[('channel_role', '=', 'distributor')]",
})
assert segment.membership_ids.partner_id == member, segment.membership_ids
pricelist = env["product.pricelist"].create({
    "name": "Lifecycle prices",
    "item_ids": [Command.create({"compute_price": "fixed", "fixed_price": 5, "channel_segment_id": segment.id})],
})
env.cr.commit()
"""
REMOVE = """
env["ir.module.module"].search([("name", "=", ADDON)]).button_immediate_uninstall()
"""


def from_the_top(names):
    """The suite's add-ons so ordered that each stands before what it depends on."""
    ordered, left = [], set(names)
    while left:
        free = sorted(
            name for name in left
            if not any(name in manifest(other).get("depends", []) for other in left - {name})
        )
        ordered += free
        left -= set(free)
    return ordered


class Shell:
    def __init__(self, workshop, database):
        self.workshop, self.database = workshop, database

    def run(self, script, what):
        with open(LOG, "a") as log:
            log.write(f"=== {what}\n")
            log.flush()
            done = subprocess.run(
                [str(part) for part in self.workshop.command(
                    "shell", "-c", self.workshop.conf, "-d", self.database, "--no-http",
                    "--log-level", "warn", "--logfile", LOG)],
                input=f"SUITE = {addons()!r}\n{script}", text=True, capture_output=True,
                env=self.workshop.environ(), check=False,
            )
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0 and "Traceback" not in done.stdout + done.stderr, (
            f"{what} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
        results = [line for line in done.stdout.splitlines() if "RESULT " in line]
        return json.loads(results[-1].split("RESULT ", 1)[1]) if results else None

    def works(self, what):
        result = self.run(WORKS, f"work after {what}")
        assert result["order"] == "sale", f"{what}: the order was not confirmed"
        assert result["delivery"] == ["done"], f"{what}: the delivery was not made"
        return result


@pytest.fixture(scope="module")
def database(workshop, suite_template):
    LOG.unlink(missing_ok=True)
    with workshop.throwaway(suite_template, "lifecycle") as name:
        # Odoo locks this table without waiting before it removes an add-on; a vacuum that began by itself would be in
        # the way, which says nothing about the add-on.
        workshop.connection.sql("ALTER TABLE ir_module_module SET (autovacuum_enabled = false)", database=name)
        yield name


def test_update_and_removal_leave_a_working_odoo(workshop, database):
    shell = Shell(workshop, database)
    shell.run("from odoo import Command\n" + LIVED_IN, "living in it")
    workshop.odoo("Updating everything", database, "-u", "all", log=LOGS / "lifecycle-update.log")
    shell.works("updating everything")

    first = shell.works("a second start")
    installed = set(first["installed"])
    assert first["ours"], "no field of the suite was found, so that none could be missed"
    for addon in from_the_top(addons()):
        if addon not in installed:
            continue  # the story is not in the template for tests
        shell.run(f"ADDON = {addon!r}\n{REMOVE}", f"removing {addon}")
        left = shell.works(f"removing {addon}")
        assert addon not in left["installed"], f"{addon} is still installed"

    assert left["installed"] == []
    assert left["tables"] == [], "tables stay behind"
    assert left["functions"] == [], "database functions stay behind"
    assert not set(left["fields"]) & set(first["ours"]), "fields stay behind on Odoo's models"
