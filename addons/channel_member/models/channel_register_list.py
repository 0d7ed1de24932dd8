from odoo import api, fields, models


class ChannelRegisterList(models.Model):
    """A register of an authority, as this database knows it: which numbers it holds, how, and as of when."""

    _name = "channel.register.list"
    _description = "Official List"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    authority = fields.Char(help="Who publishes it.")
    url = fields.Char(string="Published at", help="Where the file is fetched from, for whoever brings it up to date.")
    country_id = fields.Many2one("res.country")
    type_ids = fields.Many2many(
        "channel.qualification.type",
        "channel_register_list_type_rel",
        "list_id",
        "type_id",
        string="Kinds of Documents",
        required=True,
        help="Documents whose numbers the list holds: licences of companies, or certificates of products.",
    )
    provider = fields.Selection(
        selection="_selection_provider", default="list", required=True, help="Program that looks numbers up."
    )
    complete = fields.Boolean(
        help="Holds every number of its kinds: one that it does not hold does not exist. Untick it for extracts, such "
        "as the changes of one day."
    )
    auto_verify = fields.Boolean(
        string="Verify Every Night", default=True, help="What is in force is looked up again each night."
    )
    as_of = fields.Date(string="As of", readonly=True, tracking=True, help="Date of the newest file that was imported.")
    imported_at = fields.Datetime(readonly=True)
    entry_ids = fields.One2many("channel.register.entry", "list_id", string="Entries")
    entry_count = fields.Integer(compute="_compute_entry_count", string="Number of Entries")
    import_ids = fields.One2many("channel.register.import", "list_id", string="Imports")

    #=== COMPUTE METHODS ===#

    @api.model
    def _selection_provider(self):
        return self.env["channel.register"]._selection_provider()

    def _compute_entry_count(self):
        counts = dict(self.env["channel.register.entry"]._read_group(
            [("list_id", "in", self.ids)], ["list_id"], ["__count"]
        ))
        for register in self:
            register.entry_count = counts.get(register, 0)

    #=== ACTION METHODS ===#

    def action_entries(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_member.channel_register_entry_action")
        return {**action, "domain": [("list_id", "=", self.id)], "context": {"default_list_id": self.id}}

    def action_import(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import a List"),
            "res_model": "channel.register.import",
            "view_mode": "form",
            "context": {"default_list_id": self.id},
        }
