from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

#: Values of a scope line that the review shows and hands on.
LINE_FIELDS = (
    "device_class", "scheme", "category_id", "excluded_category_ids", "ivd", "limitation", "limit_kind", "source_text",
)


class ChannelScopeReview(models.TransientModel):
    """Printed scope on one side, the lines read from it on the other: a person compares and confirms.

    What the parser did not understand is highlighted in the text and kept on the document; it allows nothing. The
    printed text itself is always kept in full.
    """

    _name = "channel.scope.review"
    _description = "Review of a Printed Scope"

    qualification_id = fields.Many2one("channel.qualification", required=True, readonly=True, ondelete="cascade")
    type_id = fields.Many2one(related="qualification_id.type_id")
    has_parser = fields.Boolean(compute="_compute_has_parser")
    text = fields.Text(string="Scope as Printed", help="Copy it word for word from the document.")
    line_ids = fields.One2many(
        "channel.scope.review.line", "review_id", compute="_compute_reading", store=True, readonly=False, string="Lines"
    )
    unparsed = fields.Text(
        string="Not Understood",
        compute="_compute_reading",
        store=True,
        readonly=False,
        help="Stays on the document as a warning and allows nothing. Take out what you have entered as lines by hand.",
    )
    reading_html = fields.Html(string="Reading", compute="_compute_reading_html", sanitize=False)
    remark_count = fields.Integer(compute="_compute_remark_count")

    #=== COMPUTE METHODS ===#

    @api.depends("type_id.scope_parser")
    def _compute_has_parser(self):
        for review in self:
            review.has_parser = bool(review.type_id.scope_parser)

    @api.depends("text")
    def _compute_reading(self):
        for review in self:
            result = review.type_id._parse_scope(review.text) if review.type_id else {}
            review.line_ids = [Command.clear(), *(
                Command.create({**values, "remark": line["remark"]})
                for line, values in zip(result.get("lines", ()), result.get("values", ()), strict=True)
            )]
            review.unparsed = "\n".join(part["text"] for part in result.get("rest", ())) or False

    @api.depends("text")
    def _compute_reading_html(self):
        """The printed text, what was not understood marked; built from escaped pieces of it."""
        for review in self:
            rest = review.type_id._parse_scope(review.text)["rest"] if review.type_id else []
            text, pieces, position = review.text or "", [], 0
            for part in rest:
                pieces += [text[position:part["start"]], Markup('<mark class="bg-warning">%s</mark>') % part["text"]]
                position = part["end"]
            pieces.append(text[position:])
            review.reading_html = Markup('<div style="white-space: pre-wrap">%s</div>') % Markup("").join(pieces)

    @api.depends("line_ids.remark")
    def _compute_remark_count(self):
        for review in self:
            review.remark_count = len(review.line_ids.filtered("remark"))

    #=== ACTION METHODS ===#

    @api.model
    def _open(self, qualification):
        qualification.check_access("write")
        if not qualification.has_scope:
            raise UserError(self.env._("%s has no scope of business.", qualification.type_id.name))
        review = self.create({"qualification_id": qualification.id, "text": qualification.scope_text})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Review of the Scope"),
            "res_model": self._name,
            "res_id": review.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_confirm(self):
        """Put the lines and the text on the document, with the rights of the user."""
        self.ensure_one()
        self.qualification_id.write({
            "scope_text": self.text,
            "scope_unparsed": self.unparsed,
            "scope_ids": [Command.clear(), *(
                Command.create({"sequence": 10 * position, **line._scope_values()})
                for position, line in enumerate(self.line_ids, start=1)
            )],
        })
        return {"type": "ir.actions.act_window_close"}
