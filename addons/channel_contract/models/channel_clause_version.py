from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import is_html_empty

from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap

from ..tools import clause_text


class ChannelClauseVersion(models.Model):
    """What a clause of the library says over a period, in its languages: the standard text, and the fallback texts
    that people who negotiate may offer instead."""

    _name = "channel.clause.version"
    _description = "Version of a Contract Clause"
    _inherit = ["channel.version.mixin"]
    _version_identity = "clause_id"
    _version_line_fields = ("text_ids",)
    # First in the header: on a phone only the first button shows without a tap
    _tier_validation_buttons_xpath = "/form/header/*[1]"

    clause_id = fields.Many2one("channel.clause", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="clause_id.company_id", store=True, index="btree_not_null")
    purpose = fields.Char(help="Why this version: what it changes.")
    text_ids = fields.One2many("channel.clause.text", "version_id", string="Texts", copy=True)
    guidance = fields.Text(help="For those who negotiate: when a fallback text may be offered. Never printed.")

    variables_html = fields.Html(string="Variables", compute="_compute_variables_html", sanitize=False)
    preview_version_id = fields.Many2one(
        "channel.contract.version",
        string="Preview with",
        store=False,
        compute="_compute_preview_version_id",
        readonly=False,
        help="Its terms fill in the variables.",
    )
    preview_html = fields.Html(string="Preview", compute="_compute_preview_html", sanitize=False)

    _version_overlap = channel_version_overlap("clause_id")

    # === COMPUTE METHODS ===#

    def _compute_variables_html(self):
        names = self.env["channel.contract.version"]._clause_variables()
        rows = Markup().join(
            Markup("<tr><td><code>{{ %s }}</code></td><td>%s</td></tr>") % variable for variable in names.items()
        )
        self.variables_html = Markup("<table class='table table-sm'><tbody>%s</tbody></table>") % rows

    def _compute_preview_version_id(self):
        self.preview_version_id = self.env["channel.contract.version"].search([], limit=1)

    @api.depends("text_ids.body", "text_ids.title", "preview_version_id")
    def _compute_preview_html(self):
        for version in self:
            contract_version = version.preview_version_id
            parts = []
            for text in version.text_ids:
                values = contract_version.with_context(lang=text.lang)._clause_values() if contract_version else {}
                parts.append(
                    Markup("<h5>%s</h5><div>%s</div>") % (text.display_name, clause_text.render(text.body, values))
                )
            version.preview_html = Markup("<hr/>").join(parts)

    # === APPROVAL ===#

    def _approval_before(self):
        self._check_texts()
        return super()._approval_before()

    def request_validation(self):
        self._check_texts()
        return super().request_validation()

    def _check_texts(self):
        """Refuse what no contract could take over."""
        names = self.env["channel.contract.version"]._clause_variables()
        for version in self:
            if not version._standard():
                raise UserError(
                    self.env._("%s has no standard text: add one with rank 0 in each language.", version.display_name)
                )
            for text in version.text_ids:
                if is_html_empty(text.body):
                    raise UserError(self.env._("%s is empty: write it, or delete the line.", text.display_name))
                if unknown := clause_text.unknown(text.body, names):
                    raise UserError(text._message_unknown(unknown, names))
                if text.rank and not version._text(text.lang):
                    raise UserError(
                        self.env._(
                            "%(version)s has a fallback text in %(lang)s but no standard text in that language: "
                            "add one with rank 0.",
                            version=version.display_name,
                            lang=text.lang,
                        )
                    )

    def _standard(self):
        return self.text_ids.filtered(lambda text: not text.rank)

    def _text(self, lang, rank=0):
        """:returns: ``channel.clause.text`` in a language, empty when there is none"""
        return self.text_ids.filtered(lambda text: text.lang == lang and text.rank == rank)[:1]

    @api.model
    def _approval_technical_fields(self):
        # follows from the clause
        return super()._approval_technical_fields() | {"company_id"}
