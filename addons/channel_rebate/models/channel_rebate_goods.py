from odoo import fields, models

from ..tools.fields import LooseMany2one


class ChannelRebateGoods(models.Model):
    """The products that the lists of a version name, as the last run found them. Derived; nobody edits it."""

    _name = "channel.rebate.goods"
    _description = "Products of a Programme Version"
    _log_access = False
    _order = "version_id, product_id"
    _rec_name = "product_id"

    version_id = LooseMany2one("channel.rebate.program.version", required=True, readonly=True)
    product_id = LooseMany2one("product.product", required=True, readonly=True)
    in_target = fields.Boolean(readonly=True)
    in_earning = fields.Boolean(readonly=True)
    is_excluded = fields.Boolean(readonly=True)
    in_market = fields.Boolean(readonly=True)
    component_id = LooseMany2one("channel.rebate.component", readonly=True)

    _product_once = models.UniqueIndex("(version_id, product_id)")
