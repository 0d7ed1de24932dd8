import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

LAYOUTS = {"rows": "channel_price_table", "grid": "channel_price_grid"}


class ChannelPriceRulesMixin(models.AbstractModel):
    """What holds price rules: a version of a price table, and a table without versions. They are checked, edited as a
    grid, and go out to files and come in again.

    The model says in :meth:`_rules_subject` which table and version it is.
    """

    _name = "channel.price.rules.mixin"
    _description = "Price Rules to Check and Edit"

    channel_issue_count = fields.Integer(string="Findings", compute="_compute_channel_issue_count")
    channel_blocking_count = fields.Integer(string="Blocking Findings", compute="_compute_channel_issue_count")
    channel_price_table = fields.Binary(
        string="Price Table (XLSX)",
        compute="_compute_channel_price_table",
        help="All rules that have codes for what they are about, in the columns that an import reads.",
    )
    channel_price_grid = fields.Binary(
        string="Price Grid (XLSX)",
        compute="_compute_channel_price_grid",
        help="Fixed prices of single products, a column for each segment, as an import reads them.",
    )

    def _compute_channel_issue_count(self):
        Issue = self.env["channel.price.issue"]
        # Whoever may not read findings sees none, not an error
        readable = Issue.has_access("read")
        for record in self:
            domain = [*record._issue_domain(), ("state", "=", "open")]
            counts = dict(Issue._read_group(domain, ["severity"], ["__count"])) if readable and record.ids else {}
            record.channel_issue_count = sum(counts.values())
            record.channel_blocking_count = counts.get("block", 0)

    def _compute_channel_price_table(self):
        for record in self:
            record.channel_price_table = record._rules_file("rows")

    def _compute_channel_price_grid(self):
        for record in self:
            record.channel_price_grid = record._rules_file("grid")

    @api.model
    def _rules_subject(self):
        """:return: ``(price table, version)``; an empty version for a price table without versions"""
        return self.env["product.pricelist"], self.env["channel.price.version"]

    def _rules_file(self, layout):
        return base64.b64encode(self.env["channel.price.file"]._export(*self._rules_subject(), layout))

    def _issue_domain(self):
        self.ensure_one()
        pricelist, version = self._rules_subject()
        return [("pricelist_id", "=", pricelist.id), ("version_id", "=", version.id or False)]

    # === ACTION METHODS ===#

    def action_channel_check_quality(self):
        """Look for faults in the rules, and show what was found.

        :return: the action that lists the findings (``channel.price.issue``)
        :raise AccessError: the user may not change price rules
        """
        self.ensure_one()
        self.env["product.pricelist.item"].check_access("write")
        self.env["channel.price.quality"]._run(*self._rules_subject())
        return self.action_channel_open_issues()

    def action_channel_open_issues(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_issue_action"),
            "name": self.env._("Findings: %s", self.display_name),
            "domain": self._issue_domain(),
        }

    def action_channel_open_grid(self):
        """Open the prices as a grid of products and segments (client action ``channel_pricing.price_grid``)."""
        self.ensure_one()
        pricelist, version = self._rules_subject()
        kind, record = ("version", version) if version else ("table", pricelist)
        action = self.env["ir.actions.actions"]._for_xml_id(f"channel_pricing.channel_price_grid_{kind}_action")
        return {**action, "name": record.display_name, "context": {"active_id": record.id}}

    def action_channel_export_prices(self):
        """Download the rules, one a row; says how many have no code and stay out."""
        return self._export_action("rows")

    def action_channel_export_grid(self):
        """Download the fixed prices, a column for each segment; says how many rules such a file cannot name."""
        return self._export_action("grid")

    def _export_action(self, layout):
        self.ensure_one()
        download = {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/{LAYOUTS[layout]}/prices-{self.id}.xlsx?download=true",
            "target": "download",
        }
        pricelist, version = self._rules_subject()
        left_out = self.env["channel.price.file"]._left_out(pricelist, version, layout)
        if not left_out:
            return download
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "message": self.env._(
                    "%s rules are not in the file: what they are about has no code, or they are of another kind. An "
                    "import leaves them as they are.",
                    left_out,
                ),
                "next": download,
            },
        }

    def action_channel_import_prices(self):
        self.ensure_one()
        pricelist, version = self._rules_subject()
        if version and version.state != "draft":
            raise UserError(
                self.env._("%s is not a draft: make a new version and import the prices there.", version.display_name)
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Prices"),
            "res_model": "channel.price.import",
            "view_mode": "form",
            "context": {"default_pricelist_id": pricelist.id, "default_version_id": version.id},
        }
