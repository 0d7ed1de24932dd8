from odoo import api, fields, models


class ChannelClauseText(models.Model):
    """One wording of a clause in one language."""

    _name = "channel.clause.text"
    _description = "Text of a Contract Clause"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, rank, lang, id"
    _version_field = "version_id"
    _version_key_fields = ("lang", "rank")

    version_id = fields.Many2one("channel.clause.version", required=True, index=True, ondelete="cascade")
    clause_id = fields.Many2one(related="version_id.clause_id", store=True, index=True)
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        required=True,
        default=lambda self: self.env.lang or "en_US",
    )
    rank = fields.Integer(
        aggregator=None, help="0: the standard text. 1, 2 and so on: fallback texts, in the order in which to give way."
    )
    level = fields.Integer(
        string="Approval Level",
        default=1,
        aggregator=None,
        help="Of a fallback text: how far it gives way, 1 (little) to 3 (much). Rules of approval go by it.",
    )
    title = fields.Char(required=True)
    body = fields.Html()

    _text_uniq = models.UniqueIndex(
        "(version_id, lang, rank)", "A version has one text for each language and rank: give this one another rank."
    )
    _rank_positive = models.Constraint("CHECK (rank >= 0)", "A rank is 0 for the standard text, or above.")
    _level_range = models.Constraint("CHECK (level BETWEEN 1 AND 3)", "The level of a fallback text is 1, 2 or 3.")

    @api.depends("title", "rank", "lang")
    def _compute_display_name(self):
        for text in self:
            text.display_name = (
                self.env._("%(title)s (fallback %(rank)s, %(lang)s)", title=text.title, rank=text.rank, lang=text.lang)
                if text.rank
                else self.env._("%(title)s (standard, %(lang)s)", title=text.title, lang=text.lang)
            )

    def _prepare_line_vals(self, second_lang=None):
        """:returns: what a line of a contract version takes over of this text, and of the same in ``second_lang``"""
        second = self.version_id._text(second_lang, self.rank) if second_lang else self.browse()
        return {
            "text_id": self.id,
            "title": self.title,
            "body": self.body,
            "second_title": second.title,
            "second_body": second.body,
        }

    def _message_unknown(self, unknown, names):
        return clause_text_message(self.env, self.display_name, unknown, names)


def clause_text_message(env, subject, unknown, names):
    """The refusal of a text that asks for what contracts do not have."""
    if set(unknown) <= {"{{", "}}"}:
        return env._(
            "%s: braces without their other half. Write variables as {{ name }}, or take the braces away.", subject
        )
    return env._(
        "%(subject)s: unknown variable %(unknown)s. Use one of: %(known)s. Formatting within the braces makes it "
        "unknown as well: type the name anew.",
        subject=subject,
        unknown=", ".join("{{ %s }}" % name for name in unknown),  # noqa: UP031
        known=", ".join(names),
    )
