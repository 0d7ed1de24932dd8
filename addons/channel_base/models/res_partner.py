from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    channel_region_manual_id = fields.Many2one(
        "channel.region",
        string="Region Set by Hand",
        index="btree_not_null",
        ondelete="restrict",
        help="Overrules the region that the address names.",
    )
    channel_region_id = fields.Many2one(
        "channel.region",
        compute="_compute_channel_region_id",
        store=True,
        precompute=True,
        recursive=True,
        index=True,
        ondelete="set null",
        help="The region set by hand, else the territory that includes this company or the region of its address, "
        "else the deepest region that the address names. "
        "Contacts that share the address of their company share its region.",
    )

    channel_membership_ids = fields.One2many(
        "channel.segment.membership",
        "partner_id",
        string="Channel Segments",
        readonly=True,
    )
    # === COMPUTE METHODS === #

    @api.depends("country_id", "state_id", "city", "type", "channel_region_manual_id", "parent_id.channel_region_id")
    def _compute_channel_region_id(self):
        territories = self.env["channel.region"]._territories()
        asks = {
            # a partner on the screen counts as the one that is stored
            partner: (partner._origin.id, (partner.country_id.id, partner.state_id.id, partner.city or False))
            for partner in self
        }
        regions = self.env["channel.region"]._regions_of_partners(asks.values())
        for partner, ask in asks.items():
            partner_id, address = ask
            if partner.channel_region_manual_id:
                partner.channel_region_id = partner.channel_region_manual_id
            elif (
                partner.parent_id
                and partner_id not in territories.named
                and (partner.type == "contact" or not any(address))
            ):
                # an ordinary contact shares the address of its company, and so does whoever has none
                partner.channel_region_id = partner.parent_id.channel_region_id
            else:
                partner.channel_region_id = regions[ask]

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        fnames = {key for vals in vals_list for key in vals}
        self.env["channel.segment"]._partners_changed(partners, fnames, created=True)
        return partners

    def write(self, vals):
        result = super().write(vals)
        # fields without a column; those with one are seen by _write_multi
        if fnames := [name for name in vals if name in self._fields and not self._fields[name].column_type]:
            self.env["channel.segment"]._partners_changed(self, fnames)
        return result

    def _write_multi(self, vals_list):
        # every door of the ORM ends here, stored computed fields included
        self.env["channel.segment"]._partners_changed(self, {key for vals in vals_list for key in vals})
        return super()._write_multi(vals_list)

    def unlink(self):
        result = super().unlink()
        self.env["channel.segment"]._partners_deleted()
        return result
