import json
import zipfile
from hashlib import sha256

from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import html2plaintext

#: Who may take the archive of a contract along.
GROUPS = (
    "channel_base.group_channel_auditor",
    "channel_base.group_channel_contract",
    "channel_base.group_channel_manager",
)


class ChannelContractArchiveMixin(models.AbstractModel):
    """Everything about a contract in one file, for whoever has to judge it without the system."""

    _name = "channel.contract.archive.mixin"
    _description = "Archive of a Contract"

    def action_archive_file(self):
        """Download the archive."""
        self.ensure_one()
        self._check_may_archive()
        return {"type": "ir.actions.act_url", "url": f"/channel/contract/{self.id}/archive.zip", "target": "self"}

    def _check_may_archive(self):
        self.check_access("read")
        if not any(self.env.user.has_group(group) for group in GROUPS):
            raise AccessError(self.env._("Auditors, contract people and channel managers take archives of contracts."))

    def _write_archive(self, output):
        """Write the archive: a ZIP whose ``manifest.json`` names every other file with its SHA-256.

        :param output: a binary file to write to; files go into it one after the other
        :raise AccessError: unless the user may read the contract and is of one of :data:`GROUPS`
        """
        self.ensure_one()
        self._check_may_archive()
        # sudo: who takes the archive was checked; it holds what belongs to this contract and nothing else
        contract = self.sudo()
        manifest = []
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contract._archive_files():
                archive.writestr(name, content)
                manifest.append({"file": name, "size": len(content), "sha256": sha256(content).hexdigest()})
            content = archive_json(
                {
                    "contract": contract.name,
                    "company": contract.company_id.name,
                    "member": contract.member_id.name,
                    "made_at": fields.Datetime.now().isoformat() + "Z",
                    "made_by": self.env.user.login,
                    "files": manifest,
                }
            )
            archive.writestr("manifest.json", content)
        # The manifest names everything else: with its digest in the journal the archive itself can be verified
        self.env["channel.audit.entry"]._record(
            "contract.archived",
            contract,
            after={"files": len(manifest), "manifest_sha256": sha256(content).hexdigest()},
        )

    def _archive_files(self):
        """Yield ``(path, bytes)``; add-ons add theirs."""
        self.ensure_one()
        yield "README.txt", self._archive_readme().encode()
        names = ("name", "title", "type_id", "stage", "active", "create_date", "create_uid")
        yield "contract.json", archive_json(archive_record(self, *names))
        for version in self.version_ids.sorted("number"):
            yield from version._archive_files(f"versions/v{version.number:03}")
        yield "journal.json", archive_json(self._archive_journal())
        events = self.event_ids.sorted("id")
        names = ("kind", "stage", "date", "moment", "user_id", "version_id", "note")
        yield "timeline.json", archive_json([archive_record(event, *names) for event in events])
        yield "messages.json", archive_json(self._archive_messages())
        comments = self.env["channel.contract.comment"].search([("contract_id", "=", self.id)], order="id")
        names = ("version_id", "title", "parent_id", "author_id", "side", "body", "create_date", "resolved")
        yield "comments.json", archive_json([archive_record(comment, *names) for comment in comments])

    def _archive_documents(self):
        """``{model: ids}``: whose journal entries and messages belong to the contract."""
        versions = self.version_ids
        return {
            self._name: self.ids,
            versions._name: versions.ids,
            "channel.contract.signature.request": versions.signature_request_ids.ids,
            "channel.authorization": versions.authorization_ids.ids,
        }

    def _archive_journal(self):
        """What the audit journal says about the contract, and whether the journal is whole."""
        domain = Domain.OR(
            Domain("model", "=", model) & Domain("res_id", "in", ids)
            for model, ids in self._archive_documents().items()
        )
        entries = self.env["channel.audit.entry"].search(domain, order="id")
        broken = self.env["channel.audit"].verify()
        head = self.env["channel.audit.head"].search([("company_id", "=", self.company_id.id)], limit=1)
        return {
            "verified_at": fields.Datetime.now().isoformat() + "Z",
            "verification": "whole" if broken is None else broken,
            "head": {"number": head.seq, "hash": head.hash} if head else None,
            "entries": [
                {
                    "id": entry.id,
                    "number": entry.seq or None,
                    "date": entry.date.isoformat() + "Z",
                    "user": entry.user_id.login,
                    "action": entry.action,
                    "document": entry.res_name,
                    "model": entry.model,
                    "res_id": entry.res_id,
                    "reason": entry.reason or None,
                    "payload": entry.payload,
                    "digest": entry.digest,
                    "previous_hash": entry.previous_hash or None,
                    "hash": entry.hash or None,
                }
                for entry in entries
            ],
        }

    def _archive_messages(self):
        documents = self._archive_documents()
        messages = self.env["mail.message"].search(
            Domain.OR(Domain("model", "=", model) & Domain("res_id", "in", ids) for model, ids in documents.items())
            & Domain("message_type", "in", ("comment", "email")),
            order="id",
        )
        return [
            {
                "date": message.date.isoformat() + "Z",
                "author": message.author_id.name or message.email_from,
                "document": message.record_name,
                "text": html2plaintext(message.body or ""),
            }
            for message in messages
        ]

    def _archive_readme(self):
        return README


#: English like every file format: whoever verifies the archive is not always whom it was made for.
README = """\
Archive of a contract
=====================

manifest.json   every other file of this archive with its size and SHA-256
contract.json   the contract as a record
versions/vNNN/  one folder for each version of its terms
    terms.json        what was agreed, as data
    version.json      states, dates, who approved
    approvals.json    each step of the approval, who and when
    contract.pdf      the contract as text. Where it was signed electronically, these are the very bytes that were
                      signed; otherwise it was printed for this archive
    documents/        annexes
    requests/         each time the version was sent out for signature:
        request.json      what was sent to whom, and its digests
        document.pdf      the file that was frozen for the signatures
        sealed.pdf        the file with evidence and seal (PAdES), when all have signed
        signatures.json   the evidence of each signature, with the images beside it
    originals/        scans of what was signed on paper
journal.json    what the audit journal says about the contract, and whether the journal was whole
timeline.json   what happened to the contract
comments.json   what the parties wrote to each other about clauses
messages.json   what was written on the contract, its versions and authorizations

How to verify
-------------

1. Every file: its SHA-256 (for example `sha256sum FILE`) is the one in manifest.json.
2. A sealed file: `pdfsig sealed.pdf`, any reader of PDF that checks signatures, or the address printed on its last
   page. The file that was signed is attached to it (`pdfdetach -list sealed.pdf`); its SHA-256 is `document_sha256`
   in request.json and in each signature.
3. A signature: `digest` is `$1$` and the SHA-256 of the canonical JSON (UTF-8, keys sorted, no spaces) of its
   `payload`. The same digest stands in journal.json, in the entry `signature.signed`. `signature_sha256` is that of the
   image beside it, signature-ID.png.
4. The journal: `digest` of an entry is `$1$` and the SHA-256 of its `payload`. `hash` is `$1$` and the SHA-256 of
   `previous_hash` followed by `payload`; `previous_hash` is the `hash` of the entry with the number before, which may
   belong to another document.
"""


def archive_record(record, *names):
    """Some fields of a record, as a person reads them and JSON can carry them."""

    def plain(name):
        value, kind = record[name], record._fields[name].type
        if kind == "many2one":
            return value.display_name or None
        if kind == "datetime":
            return value.isoformat() + "Z" if value else None
        if kind == "date":
            return value.isoformat() if value else None
        return value if kind in ("boolean", "integer", "float", "monetary") else value or None

    return {"id": record.id, **{name: plain(name) for name in names}}


def archive_json(value):
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()
