from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.channel_base.tools.private_key import PrivateKey

from ..tools import word_diff

#: Opens the texts as agreed to the approval, which writes them once.
_FREEZER = PrivateKey("channel_clause_freezer")
_FROZEN = ("frozen_body", "frozen_second_body")


class ChannelContractClauseLine(models.Model):
    """A clause of a contract version, in one or two languages.

    ``body`` is what people write, with variables; ``frozen_body`` is what was agreed: the same with the variables
    filled in, written once when the version is approved. ``text`` is the one or the other, as a reader sees it.
    """

    _name = "channel.contract.clause.line"
    _description = "Clause of a Contract Version"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _rec_name = "title"
    _version_field = "version_id"
    _version_key_fields = ("title",)

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    number = fields.Integer(
        compute="_compute_number", aggregator=None, help="Place among the clauses of the version that are printed."
    )
    key = fields.Char(
        readonly=True,
        default=lambda self: uuid4().hex,
        help="The same in every version of the contract, so that a clause is found again whatever its title.",
    )
    section = fields.Char(help="Heading, printed before the first of the clauses that share it.")
    second_section = fields.Char(string="Section in the Second Language")
    # What the library offers beside the text is not for the other side of the table
    clause_id = fields.Many2one(
        "channel.clause",
        string="From the Library",
        index="btree_not_null",
        ondelete="restrict",
        groups="channel_base.group_channel_user",
    )
    text_id = fields.Many2one(
        "channel.clause.text",
        string="Wording",
        index="btree_not_null",
        ondelete="restrict",
        groups="channel_base.group_channel_user",
        help="The text of the library that was taken over: the standard, or a fallback.",
    )
    title = fields.Char(required=True)
    body = fields.Html()
    second_title = fields.Char(string="Title in the Second Language")
    second_body = fields.Html(string="Text in the Second Language")
    omitted = fields.Boolean(
        string="Left Out", help="A mandatory clause that this version leaves out on purpose. It is not printed."
    )
    deviation_reason = fields.Char(
        groups="channel_base.group_channel_user",
        help="Why the text is not the standard, for those who approve. Never printed.",
    )
    mandatory = fields.Boolean(
        compute="_compute_mandatory",
        store=True,
        groups="channel_base.group_channel_user",
        help="As the library said when the version was approved.",
    )
    deviation = fields.Selection(
        [
            ("none", "Standard"),
            ("fallback", "Fallback text"),
            ("deviates", "Deviates"),
            ("added", "Not from the library"),
            ("missing", "Mandatory, left out"),
        ],
        compute="_compute_deviation",
        store=True,
        groups="channel_base.group_channel_user",
        help="Against the text of the library that was taken over.",
    )
    deviation_level = fields.Integer(
        compute="_compute_deviation",
        store=True,
        aggregator="max",
        groups="channel_base.group_channel_user",
        help="0: the standard. 1 to 3: a fallback text, by its own level. 2: deviates, or is not from the library. "
        "3: a mandatory clause that deviates or is left out.",
    )
    frozen_body = fields.Html(readonly=True, copy=False, help="The text as agreed, written at the approval.")
    frozen_second_body = fields.Html(readonly=True, copy=False)
    text = fields.Html(compute="_compute_text", sanitize=False, help="As it reads, variables filled in.")
    second_text = fields.Html(compute="_compute_text", sanitize=False)
    difference_html = fields.Html(
        string="Against the Standard",
        compute="_compute_difference_html",
        sanitize=False,
        groups="channel_base.group_channel_user",
    )
    is_outdated = fields.Boolean(
        string="Library has Moved on",
        compute="_compute_is_outdated",
        groups="channel_base.group_channel_user",
        help="The library has another version of the clause in force today.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("version_id.clause_ids.sequence", "version_id.clause_ids.omitted")
    def _compute_number(self):
        self.number = 0
        for version, lines in self.grouped("version_id").items():
            printed = version.clause_ids.filtered(lambda line: not line.omitted)
            places = {line: place for place, line in enumerate(printed, 1)}
            for line in lines:
                line.number = places.get(line, places.get(line._origin, 0))

    @api.depends("clause_id", "clause_id.mandatory", "version_id.state")
    def _compute_mandatory(self):
        for line in self:
            # What was approved stays as it was judged then
            line.mandatory = line.clause_id.mandatory if line.version_id.state == "draft" else line.mandatory

    @api.depends("clause_id", "text_id", "body", "second_body", "omitted", "mandatory")
    def _compute_deviation(self):
        for line in self:
            text = line.text_id
            second = text.version_id._text(line.version_id.second_lang, text.rank)
            if line.omitted:
                line.deviation = "missing"
            elif not line.clause_id:
                line.deviation = "added"
            elif _same(text.body, line.body) and _same(second.body, line.second_body):
                line.deviation = "fallback" if text.rank else "none"
            else:
                line.deviation = "deviates"
            line.deviation_level = {
                "none": 0,
                "fallback": text.level,
                "deviates": 3 if line.mandatory else 2,
                "added": 2,
                "missing": 3,
            }[line.deviation]

    @api.depends("body", "second_body", "frozen_body", "frozen_second_body", "version_id")
    def _compute_text(self):
        for version, lines in self.grouped("version_id").items():
            version._render_clauses(lines)

    @api.depends("body", "second_body", "text_id")
    def _compute_difference_html(self):
        for line in self:
            text = line.text_id
            standard = text.version_id._text(text.lang) or text
            second = text.version_id._text(line.version_id.second_lang)
            line.difference_html = word_diff.word_diff(standard.body, line.body) + (
                word_diff.word_diff(second.body, line.second_body) if line.second_body or second else ""
            )

    @api.depends("clause_id", "text_id")
    def _compute_is_outdated(self):
        in_force = self.clause_id._in_force()
        for line in self:
            version = in_force.get(line.clause_id.id)
            line.is_outdated = bool(version and line.text_id and line.text_id.version_id != version)

    # === ONCHANGE METHODS ===#

    @api.onchange("clause_id")
    def _onchange_clause_id(self):
        version = self.version_id
        if self.clause_id and self.text_id.clause_id != self.clause_id:
            [values] = self.clause_id._prepare_clause_line_vals(version.lang, version.second_lang)
            values.pop("sequence")
            self.update(values)

    @api.onchange("text_id")
    def _onchange_text_id(self):
        if self.text_id:
            self.update(self.text_id._prepare_line_vals(self.version_id.second_lang))

    # === CONSTRAINT METHODS ===#

    @api.constrains("omitted", "deviation_reason", "clause_id")
    def _check_omitted(self):
        for line in self:
            if not line.omitted:
                continue
            if not line.clause_id:
                raise ValidationError(
                    self.env._("Clause “%s” is not from the library: delete it instead of leaving it out.", line.title)
                )
            if not line.deviation_reason:
                raise ValidationError(
                    self.env._("Clause “%s” is left out: give the reason to those who approve.", line.title)
                )

    @api.constrains("clause_id", "text_id")
    def _check_text_id(self):
        for line in self:
            if line.text_id and line.text_id.clause_id != line.clause_id:
                raise ValidationError(
                    self.env._(
                        "Clause “%(title)s”: the text is of %(other)s. Choose a text of the same clause.",
                        title=line.title,
                        other=line.text_id.clause_id.display_name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_frozen(vals)
        return super().create(vals_list)

    def write(self, vals):
        if _FREEZER.opens(self):
            return super(ChannelContractClauseLine, _FREEZER.close(self)).write(vals)
        self._check_frozen(vals)
        return super().write(vals)

    def _check_frozen(self, vals):
        if any(vals.get(name) for name in _FROZEN) or "key" in vals and self:
            raise UserError(
                self.env._("The text of a clause as agreed is written by the approval and cannot be written by hand.")
            )

    def _version_terms(self):
        return [name for name in super()._version_terms() if name not in ("key", *_FROZEN)]

    # === ACTION METHODS ===#

    def action_take_over(self):
        """Take over what the library says today, in place of the text of the line.

        :raise UserError: the version is no draft, or the library has no text in its languages
        """
        for version, lines in self.grouped("version_id").items():
            known = lines.filtered("clause_id")
            values = known.clause_id._prepare_clause_line_vals(version.lang, version.second_lang)
            by_clause = {vals["clause_id"]: vals for vals in values}
            for line in known:
                line.write(
                    {
                        name: value
                        for name, value in by_clause[line.clause_id.id].items()
                        if name not in ("sequence", "section", "second_section")
                    }
                )
        return True

    def _freeze(self):
        """Write the texts as they read now, for good."""
        for line in self:
            _FREEZER.open(line).write({"frozen_body": line.text, "frozen_second_body": line.second_text})
        # before the version is approved: from then on the database refuses changes of its lines
        self.flush_recordset()


def _same(one, other):
    return one == other or word_diff.words(one) == word_diff.words(other)
