from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date

#: What a document states that its holder also types in: field of the record -> fields of the reader, the first counts.
TYPED = {
    "number": ("number",),
    "holder_name": ("name",),
    "issuer": ("issuer",),
    "issue_date": ("valid_from", "issue_date"),
    "expiry_date": ("expiry_date",),
    "scope_text": ("scope_text",),
}
#: Further things read that a reviewer compares with the particulars.
SHOWN = ("uscc", "legal_person", "person_in_charge", "domicile", "place", "warehouse", "product_name")


class ChannelDocumentReadingMixin(models.AbstractModel):
    """A document whose file is read by ``channel.document.reader``, beside what somebody typed in.

    The model has ``type_id`` and the fields of :data:`TYPED` that it wants compared. What was read is a proposal: it is
    kept apart from the typed values, offered to whoever fills them in, and shown to the reviewer beside them.
    """

    _name = "channel.document.reading.mixin"
    _description = "Document That Is Read"

    read_values = fields.Json(readonly=True, copy=False, groups="base.group_user")
    read_confidence = fields.Json(readonly=True, copy=False, groups="base.group_user")
    read_source = fields.Char(
        readonly=True, copy=False, groups="base.group_user", help="Reader that found text in the file."
    )
    read_error = fields.Char(readonly=True, copy=False, groups="base.group_user")
    read_html = fields.Html(
        string="Read and Typed",
        compute="_compute_read_html",
        sanitize=False,
        groups="base.group_user",
        help="What the file says by itself, beside what was typed in.",
    )
    read_differs = fields.Boolean(
        string="Differs from the File", compute="_compute_read_html", groups="base.group_user"
    )

    @api.depends(lambda self: ["read_values", "read_source", "read_error", *(n for n in TYPED if n in self._fields)])
    @api.depends_context("lang")
    def _compute_read_html(self):
        for document in self:
            document.read_differs = bool(document._reading_differences())
            document.read_html = document._reading_html()

    # === BUSINESS METHODS === #

    def _read_file(self, content):
        """Read ``content`` (bytes) and keep what was found; nothing that was typed changes.

        :return: what :meth:`_read_proposal` proposes
        """
        self.ensure_one()
        result = self.env["channel.document.reader"]._read(content, qualification_type=self.type_id)
        # sudo: what a program read; whoever hands in a file may not write it
        self.sudo().write({
            "read_values": result["values"] or False,
            "read_confidence": result["confidence"] or False,
            "read_source": result["source"],
            "read_error": result["error"],
        })
        return self._read_proposal()

    def _forget_reading(self):
        """The file is gone."""
        # sudo: as in _read_file
        self.sudo().write({"read_values": False, "read_confidence": False, "read_source": False, "read_error": False})

    def _read_proposal(self):
        """Values for the typed fields that the file states.

        :return: ``{field of TYPED: str}``, dates as ``YYYY-MM-DD``; empty when nothing was read
        """
        self.ensure_one()
        # sudo: to whoever may see the file, what it says is no secret
        values = self.sudo().read_values or {}
        proposal = {}
        for name, sources in TYPED.items():
            value = next((values[source] for source in sources if values.get(source)), None)
            if value and name in self._fields and (name != "scope_text" or self.type_id.has_scope):
                proposal[name] = value
        return proposal

    def _reading_differences(self):
        """:return: ``{field: (typed, read)}`` of the typed fields that are not what the file says, as strings"""
        self.ensure_one()
        differences = {}
        for name, read in self._read_proposal().items():
            typed = self._reading_typed(name)
            if typed and self._reading_comparable(typed) != self._reading_comparable(read):
                differences[name] = (typed, read)
        return differences

    # === TOOLING === #

    def _reading_typed(self, name):
        value = self[name]
        return fields.Date.to_string(value) if self._fields[name].type == "date" and value else value or ""

    @api.model
    def _reading_comparable(self, value):
        """What counts of a value: blanks and capitals do not."""
        return "".join(value.split()).casefold()

    @api.model
    def _reading_labels(self):
        return {
            "uscc": self.env._("Identification number"),
            "legal_person": self.env._("Legal representative"),
            "person_in_charge": self.env._("Person in charge"),
            "domicile": self.env._("Registered address"),
            "place": self.env._("Place of business"),
            "warehouse": self.env._("Warehouse"),
            "product_name": self.env._("Product"),
        }

    def _reading_html(self):
        values, error = self.read_values or {}, self.read_error
        if not values:
            if not error:
                return False
            message = self.env["channel.document.reader"]._read_errors().get(error, error)
            return Markup("<p class='text-muted mb-0'>%s</p>") % message

        def shown(name, value):
            date = name in self._fields and self._fields[name].type == "date"
            return format_date(self.env, value) if date and value else value

        proposal, differences = self._read_proposal(), self._reading_differences()
        rows = [
            (
                self._fields[name].get_description(self.env, ["string"])["string"],
                shown(name, read), shown(name, self._reading_typed(name)), name in differences,
            )
            for name, read in proposal.items()
        ]
        labels = self._reading_labels()
        rows += [(labels[name], values[name], "", False) for name in SHOWN if values.get(name)]
        body = Markup().join(
            Markup("<tr class='%s'><td>%s</td><td style='white-space: pre-wrap'>%s</td><td>%s</td></tr>")
            % ("table-warning" if differs else "", label, read, typed)
            for label, read, typed, differs in rows
        )
        return Markup(
            "<table class='table table-sm mb-0'><thead><tr><th></th><th>%s</th><th>%s</th></tr></thead>"
            "<tbody>%s</tbody></table>"
        ) % (
            self.env._("Recognised in the picture, not certain")
            if self.read_source == "ocr"
            else self.env._("In the text of the file"),
            self.env._("Typed in"),
            body,
        )
