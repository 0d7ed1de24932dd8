from odoo import fields, models


class ChannelStackingGroup(models.Model):
    """Offers that belong together, such as a season's promotions, whoever makes them."""

    _name = "channel.stacking.group"
    _description = "Group of Offers"
    _order = "code, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="By which callers of the API name the group.")
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "Another group of offers has this code.")
