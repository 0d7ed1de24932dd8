"""What the chapters share: the add-on's own external ids and the cast."""


def ref(env, name):
    return env.ref(f"channel_demo.{name}")


def name_record(env, name, record):
    """Give a record the external id ``channel_demo.<name>``."""
    env["ir.model.data"].create({
        "module": "channel_demo",
        "name": name,
        "model": record._name,
        "res_id": record.id,
        "noupdate": True,
    })
    return record


def dealers(env):
    """The active distributors of the story, in the order of their codes."""
    return env["res.partner"].search(
        [("channel_role", "=", "distributor"), ("channel_state", "=", "active"),
         ("ref", "like", "DEMO-D")],
        order="channel_code",
    )


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
