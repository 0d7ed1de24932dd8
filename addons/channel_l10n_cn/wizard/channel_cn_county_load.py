from odoo import fields, models


class ChannelCnCountyLoad(models.TransientModel):
    """Load the counties and districts of China, which most sales organisations can do without."""

    _name = "channel.cn.county.load"
    _description = "Load Counties of China"

    loaded = fields.Boolean(
        string="Already Loaded",
        readonly=True,
        default=lambda self: self.env["channel.region"]._l10n_cn_counties_loaded(),
    )

    def action_load(self):
        """Load or bring up to date, then show the counties. May be repeated."""
        self.ensure_one()
        self.env["channel.region"].check_access("create")
        # sudo: the regions get external ids, which only the system may write; the right to create regions
        # has just been checked, and what is loaded is fixed by the add-on.
        self.env["channel.region"].sudo()._l10n_cn_load(counties=True)
        name = self.env._("Counties of China")
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "channel.region",
            "view_mode": "list,form",
            "domain": [("level", "=", "county"), ("country_id.code", "=", "CN")],
        }
