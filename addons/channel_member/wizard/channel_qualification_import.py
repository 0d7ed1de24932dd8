from odoo import models
from odoo.tools.translate import LazyTranslate

from odoo.addons.channel_base.tools.import_plan import ImportColumn

_lt = LazyTranslate(__name__)

COLUMNS = [
    ImportColumn("member", _lt("Member"), "record", required=True, resolver="member", field="partner_id",
                 example="M00042", help=_lt("Code, identification number or name.")),
    ImportColumn("type", _lt("Type"), "record", required=True, resolver="type", field="type_id",
                 example="iso_13485", help=_lt("Code or name of the qualification type.")),
    ImportColumn("number", _lt("Number"), required=True, help=_lt("As printed on the document.")),
    ImportColumn("issue_date", _lt("Issue Date"), "date", required=True, example="2024-05-01",
                 help=_lt("First day in force.")),
    ImportColumn("expiry_date", _lt("Expiry Date"), "date", example="2029-04-30",
                 help=_lt("Last day in force; empty: by the usual validity of the type.")),
    ImportColumn("issuer", _lt("Issuer")),
    ImportColumn("scope_text", _lt("Scope as Printed"),
                 help=_lt("Word for word; read into lines by the type's parser.")),
    ImportColumn("note", _lt("Note")),
]


class ChannelQualificationImport(models.TransientModel):
    """Documents of members from a table.

    A row is the document of its member with its type, number and issue date. Documents are handed in for verification
    in the name of whoever imports, who therefore does not verify them. What has been decided does not change.
    """

    _name = "channel.qualification.import"
    _description = "Import of Qualifications"
    _inherit = "channel.member.import.mixin"
    _import_model = "channel.qualification"

    def _import_columns(self):
        return COLUMNS

    def _resolve_type(self, texts):
        return self._resolve_by("channel.qualification.type", texts, ("code", "name"))

    def _import_key(self, values):
        if not {"member", "type", "number", "issue_date"} <= values.keys():
            return None
        return values["member"].id, values["type"].id, self._fold(values["number"]), values["issue_date"]

    def _import_existing(self, entries):
        numbers = {
            spelling
            for entry in entries if entry.key
            for spelling in (entry.values["number"], entry.values["number"].upper(), entry.values["number"].lower())
        }
        members = {entry.values["member"].id for entry in entries if entry.key}
        found = self.env["channel.qualification"].with_context(active_test=False).search_fetch(
            [("number", "in", list(numbers)), ("partner_id", "in", list(members))],
            ["partner_id", "type_id", "number", "issue_date"],
        )
        result = {}
        for record in found:
            key = record.partner_id.id, record.type_id.id, self._fold(record.number), record.issue_date
            result[key] = result.get(key, found.browse()) | record
        return result

    def _import_check(self, entries):
        problems = []
        for entry in entries:
            values, record = entry.values, entry.record
            if values.get("expiry_date") and values.get("issue_date") and values["expiry_date"] < values["issue_date"]:
                problems.append(self._problem(
                    entry, "expiry_date", "dates_reversed", self.env._("lies before the issue date"),
                    self.env._("Correct one of the two dates."),
                ))
            if values.get("number") and values.get("type"):
                result = values["type"]._validate(values["number"])
                if not result["valid"]:
                    problems.append(self._problem(
                        entry, "number", "number_invalid", values["type"]._validation_message(result),
                        self.env._("Correct the number: a wrong one cannot be verified."),
                    ))
            if values.get("scope_text") and values.get("type") and not values["type"].has_scope:
                problems.append(self._problem(
                    entry, "scope_text", "no_scope", self.env._("documents of this type have no scope"),
                    self.env._("Leave the cell empty."),
                ))
            if record and not record._is_open() and self._differences(record, self._import_vals(entry)):
                problems.append(self._problem(
                    entry, "number", "decided", self.env._("has been decided already and does not change"),
                    self.env._("Enter a renewal with its own issue date, or have it set back to draft."),
                ))
        return problems

    def _import_vals(self, entry):
        vals = super()._import_vals(entry)
        text = vals.get("scope_text")
        if text and (not entry.record or entry.record.scope_text != text):
            qualification_type = entry.values["type"]
            vals.update(self.env["channel.qualification"]._scope_values(text, qualification_type._parse_scope(text)))
        return vals

    def _import_summary(self, entry):
        return " ".join((
            entry.values["member"].display_name, entry.values["type"].display_name, entry.values["number"]
        ))

    def _import_create(self, entries):
        self.env["channel.qualification"].with_context(tracking_disable=True).create(
            [entry.vals for entry in entries]
        ).with_context(tracking_disable=False).action_submit()

    def _import_update(self, entries):
        super()._import_update(entries)
        drafts = self.env["channel.qualification"].concat(*(entry.record for entry in entries)).filtered(
            lambda qualification: qualification.state == "draft"
        )
        drafts.action_submit()
