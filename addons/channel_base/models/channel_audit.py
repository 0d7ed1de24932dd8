import json

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..tools.canonical import FORMAT, canonical_json, digest
from .channel_audit_entry import PAYLOAD_COLUMNS

#: How many entries are in memory at a time.
VERIFY_BATCH = 5000
_JSON_COLUMNS = ("before", "after")


class ChannelAudit(models.AbstractModel):
    """The audit journal as a whole: is it still what was written?"""

    _name = "channel.audit"
    _description = "Audit Journal"

    @api.model
    @api.readonly
    def verify(self):
        """Check the audit journals of all companies, and say which entry is the first broken one.

        Every entry's columns are compared with its payload, the payload with the digest taken when it was
        written, and the chain with both; the end of the chain is compared with the head that is
        kept apart.

        Reasons (codes):

        * ``columns``: a column was changed after the entry was written
        * ``payload``: the payload does not have the digest taken when it was written
        * ``gap``: an entry before this one is missing
        * ``chain``: the entry does not follow from the one before it
        * ``head``: the end of the chain is not where the head says (entries cut off, or the head changed);
          ``entry_id`` is then the last entry that the head knows

        :return: ``None`` when nothing is broken, else ``{"company_id": int, "entry_id": int, "reason": str}``
        :raise AccessError: unless the caller may read the audit journal
        """
        if not self.env["channel.audit.entry"].has_access("read"):
            raise AccessError(
                self.env._("Only auditors, compliance and channel administrators may verify the audit journal.")
            )
        # The journal is read by plain SQL, for all companies: a chain with entries left out proves nothing.
        # What comes back is the number of an entry, not its content.
        company_ids = self.env.execute_query(
            SQL(
                """
            SELECT company_id FROM channel_audit_entry
             UNION SELECT company_id FROM channel_audit_head
             ORDER BY company_id
            """
            )
        )
        for (company_id,) in company_ids:
            broken = self._verify_chain(company_id) or self._verify_unsealed(company_id)
            if broken:
                entry_id, reason = broken
                return {
                    "company_id": company_id,
                    "entry_id": entry_id,
                    "reason": reason,
                }
        return None

    @api.model
    def _verify_chain(self, company_id):
        """Return ``(entry_id, reason)`` of the first broken sealed entry of a company, or ``None``."""
        previous, number, last_id = "", 0, None
        while batch := self._read_entries(company_id, number):
            for entry in batch:
                number += 1
                if entry["seq"] != number:
                    return entry["id"], "gap"
                if reason := self._broken_content(entry):
                    return entry["id"], reason
                if entry["previous_hash"] != previous:
                    return entry["id"], "chain"
                previous = digest(previous + entry["payload"])
                if entry["hash"] != previous:
                    return entry["id"], "chain"
                last_id = entry["id"]
        head = self.env.execute_query(
            SQL(
                "SELECT seq, hash, entry_id FROM channel_audit_head WHERE company_id = %s",
                company_id,
            )
        )
        if head != ([(number, previous, last_id)] if number else []):
            return (head and head[0][2]) or last_id, "head"
        return None

    @api.model
    def _verify_unsealed(self, company_id):
        """Return ``(entry_id, reason)`` of the first broken entry that is not sealed yet, or ``None``."""
        last_id = 0
        while batch := self._read_entries(company_id, last_id, sealed=False):
            for entry in batch:
                last_id = entry["id"]
                if reason := self._broken_content(entry):
                    return entry["id"], reason
                if entry["hash"] is not None or entry["previous_hash"] is not None:
                    return entry["id"], "chain"
        return None

    @api.model
    def _read_entries(self, company_id, after, sealed=True):
        """Return the next entries as dicts: sealed ones by number, the others by id."""
        order = SQL.identifier("seq" if sealed else "id")
        names = ("id", "seq", "previous_hash", "hash", "payload", "digest")
        rows = self.env.execute_query(
            SQL(
                """
            SELECT %(columns)s FROM channel_audit_entry
             WHERE company_id = %(company)s AND %(order)s > %(after)s %(unsealed)s
             ORDER BY %(order)s LIMIT %(limit)s
            """,
                columns=SQL(", ").join(SQL.identifier(name) for name in names + PAYLOAD_COLUMNS),
                company=company_id,
                order=order,
                after=after,
                unsealed=SQL() if sealed else SQL("AND seq IS NULL"),
                limit=VERIFY_BATCH,
            )
        )
        return [dict(zip(names + PAYLOAD_COLUMNS, row, strict=True)) for row in rows]

    @api.model
    def _broken_content(self, entry):
        """Return why an entry is not what was written, or ``None``."""
        if digest(entry["payload"]) != entry["digest"]:
            return "payload"
        values = {name: entry[name] for name in PAYLOAD_COLUMNS}
        for name in _JSON_COLUMNS:
            if values[name] is None:
                continue
            try:
                values[name] = json.loads(values[name])
            except ValueError:
                return "columns"
            if canonical_json(values[name]) != entry[name]:
                return "columns"
        if canonical_json({"format": FORMAT, **values}) != entry["payload"]:
            return "columns"
        return None

    # === ACTION === #

    @api.model
    def action_verify(self):
        """Verify from the list of the journal: a notification says what was found."""
        broken = self.verify()
        if not broken:
            return self._notification(
                "success",
                self.env._("The audit journal is whole"),
                self.env._("Every entry is as it was written, and none is missing."),
            )
        company = self.env["res.company"].sudo().browse(broken["company_id"])
        return self._notification(
            "danger",
            self.env._("The audit journal is broken"),
            self.env._(
                "Company %(company)s, entry %(entry)s: %(reason)s",
                company=company.name,
                entry=broken["entry_id"],
                reason=self._reason_text(broken["reason"]),
            ),
        )

    @api.model
    def _reason_text(self, reason):
        return {
            "columns": self.env._("a column was changed after the entry was written."),
            "payload": self.env._("the payload was changed after it was written."),
            "gap": self.env._("an entry before this one is missing."),
            "chain": self.env._("the entry does not follow from the one before it."),
            "head": self.env._("the end of the journal is missing, or its head was changed."),
        }[reason]

    @api.model
    def _notification(self, kind, title, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "title": title,
                "message": message,
                "sticky": kind == "danger",
            },
        }
