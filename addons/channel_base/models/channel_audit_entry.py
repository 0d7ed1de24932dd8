import logging
import uuid

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.canonical import FORMAT, canonical_json, digest
from ..tools.private_key import PrivateKey

_logger = logging.getLogger(__name__)

_WRITER = PrivateKey("channel_audit_writer")

#: Columns of an entry that its payload repeats, in the order of the table.
PAYLOAD_COLUMNS = (
    "company_id",
    "date",
    "user_id",
    "action",
    "model",
    "res_id",
    "res_name",
    "reason",
    "before",
    "after",
    "nonce",
)
#: How many entries one sealing transaction chains.
SEAL_BATCH = 2000
#: First half of PostgreSQL's two-part advisory lock; the second is the company.
SEAL_LOCK = 0x6368_6175 & 0x7FFF_FFFF


class ChannelAuditEntry(models.Model):
    """A fact of a decision: who, when, what, why, before and after. Written once, never changed.

    Writers only insert, so they never wait for each other. A short job then *seals* new entries
    into a chain per company: each gets the next number and the digest of the previous digest and its own
    payload. From then on no entry can be changed, removed or put between without breaking the chain.
    A trigger of the database refuses update, delete and truncate also to who bypasses Odoo.
    """

    _name = "channel.audit.entry"
    _description = "Audit Journal Entry"
    _order = "id desc"
    _rec_name = "res_name"
    # The entry has its own date and user: Odoo's four columns would be a second, unprotected truth.
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    date = fields.Datetime(required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, index=True, ondelete="restrict")
    action = fields.Char(required=True, readonly=True, help="A code, for example approval.approved.")
    model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="model", readonly=True)
    res_name = fields.Char(string="Document", readonly=True)
    reason = fields.Char(readonly=True)
    before = fields.Text(readonly=True, help="Canonical JSON.")
    after = fields.Text(readonly=True, help="Canonical JSON.")
    nonce = fields.Char(readonly=True, help="Makes two entries with the same content different.")
    payload = fields.Text(
        required=True,
        readonly=True,
        help="Canonical JSON of all the above: what the digests are computed from.",
    )
    digest = fields.Char(required=True, readonly=True, help="Digest of the payload when it was written.")
    seq = fields.Integer(
        string="Number",
        readonly=True,
        aggregator=None,
        help="Place in the chain of the company; empty until sealed.",
    )
    previous_hash = fields.Char(readonly=True)
    hash = fields.Char(readonly=True)

    _chain_place = models.UniqueIndex("(company_id, seq)")
    _unsealed = models.Index("(company_id, id) WHERE seq IS NULL")
    _document = models.Index("(model, res_id)")

    def init(self):
        """Create the guard that refuses changes also to who bypasses Odoo (idempotent)."""
        self.env.cr.execute(
            SQL(
                """
            CREATE OR REPLACE FUNCTION channel_audit_entry_guard() RETURNS trigger
            LANGUAGE plpgsql AS $guard$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    IF NEW.seq IS NULL AND NEW.previous_hash IS NULL AND NEW.hash IS NULL THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION USING
                        MESSAGE = 'The audit journal chains its entries itself: insert them without number and hash.',
                        ERRCODE = 'restrict_violation';
                END IF;
                IF TG_OP = 'UPDATE' THEN
                    IF OLD.seq IS NULL AND NEW.seq IS NOT NULL
                        AND NEW.previous_hash IS NOT NULL AND NEW.hash IS NOT NULL
                        AND to_jsonb(OLD) - ARRAY['seq', 'previous_hash', 'hash']
                          = to_jsonb(NEW) - ARRAY['seq', 'previous_hash', 'hash']
                    THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION USING
                    MESSAGE = 'The audit journal is append-only: ' || TG_OP || ' of channel_audit_entry is refused.',
                    ERRCODE = 'restrict_violation',
                    HINT = 'Correct a decision by taking a new one; it gets an entry of its own.';
            END $guard$;
            CREATE OR REPLACE TRIGGER channel_audit_entry_guard_row
                BEFORE INSERT OR UPDATE OR DELETE ON channel_audit_entry
                FOR EACH ROW EXECUTE FUNCTION channel_audit_entry_guard();
            CREATE OR REPLACE TRIGGER channel_audit_entry_guard_truncate
                BEFORE TRUNCATE ON channel_audit_entry
                FOR EACH STATEMENT EXECUTE FUNCTION channel_audit_entry_guard();
            """
            )
        )

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        if not _WRITER.opens(self):
            raise UserError(
                self.env._("Entries of the audit journal are written by the decisions themselves, not by hand.")
            )
        return super(ChannelAuditEntry, _WRITER.close(self)).create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The audit journal is append-only: entries cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("The audit journal is append-only: entries cannot be deleted."))

    # === BUSINESS === #

    @api.model
    def _record(self, action, records, reason=None, before=None, after=None):
        """Append one entry for each record: the only writer of the journal.

        :param str action: a code, "topic.what", for example ``"approval.approved"``
        :param records: the documents about which something was decided (one model, already saved)
        :param str reason: why, in the words of who decided
        :param before: state before, ``{record_id: dict}`` or one dict for all; what
            :func:`~odoo.addons.channel_base.tools.canonical.canonical_json` accepts
        :param after: state after, same shape
        :return: the entries, in the order of ``records``, with superuser rights
        """
        if not records:
            return self.sudo().browse()
        # sudo: whoever decides may not write (nor read) the journal; the values come from this method
        # alone, and the names of documents go nowhere but into the journal.
        documents = records.sudo()
        now = fields.Datetime.now()
        with_company = "company_id" in records._fields
        vals_list = []
        before, after = self._values_by_document(before), self._values_by_document(after)
        for document in documents:
            company = (with_company and document.company_id[:1].id) or self.env.company.id
            values = {
                "company_id": company,
                "date": now,
                "user_id": self.env.uid,
                "action": action,
                "model": document._name,
                "res_id": document.id,
                "res_name": document.display_name or f"{document._name},{document.id}",
                "reason": reason or None,
                "before": before(document),
                "after": after(document),
                "nonce": uuid.uuid4().hex,
            }
            payload = canonical_json({"format": FORMAT, **values})
            vals_list.append(
                {
                    **values,
                    "before": values["before"] and canonical_json(values["before"]),
                    "after": values["after"] and canonical_json(values["after"]),
                    "payload": payload,
                    "digest": digest(payload),
                }
            )
        entries = _WRITER.open(self.sudo()).create(vals_list)
        self._trigger_seal()
        return entries.browse(entries.ids)

    @api.model
    def _values_by_document(self, values):
        """Return the function that finds what ``_record`` was given for a document: its own, or the one for all."""
        if values and all(isinstance(key, int) for key in values):
            return lambda document: values.get(document.id) or None
        return lambda document: values or None

    @api.model
    def _trigger_seal(self):
        """Ask the sealing job to run soon after this transaction: once for each transaction."""
        data = self.env.cr.postcommit.data
        if data.get("channel_audit_seal"):
            return
        cron = self.env.ref("channel_base.ir_cron_audit_seal", raise_if_not_found=False)
        if cron:
            data["channel_audit_seal"] = True
            # sudo: only starts the job earlier
            cron.sudo()._trigger()

    @api.model
    def _seal(self, limit=SEAL_BATCH):
        """Chain the entries that are not yet, company by company.

        One sealer works on a company at a time: who finds the advisory lock taken leaves that
        company to the other. At most ``limit`` entries for each company.

        :return: ``(sealed, remaining)``, numbers of entries
        """
        self.env["channel.audit.entry"].flush_model()
        sealed = remaining = 0
        companies = self.env.execute_query(
            SQL("SELECT company_id, count(*) FROM channel_audit_entry WHERE seq IS NULL GROUP BY company_id ORDER BY 1")
        )
        for company_id, waiting in companies:
            done = self._seal_company(company_id, limit)
            sealed += done
            if done:
                remaining += waiting - done
        return sealed, remaining

    @api.model
    def _seal_company(self, company_id, limit):
        cr = self.env.cr
        cr.execute(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", SEAL_LOCK, company_id))
        if not cr.fetchone()[0]:
            return 0
        try:
            with cr.savepoint(flush=False):
                return self._chain(company_id, limit)
        except SerializationFailure:
            # Another sealer committed between our snapshot and our lock: nothing of ours was
            # written, and the next run sees its work.
            _logger.info("Company %s was sealed by another process", company_id)
            return 0

    @api.model
    def _chain(self, company_id, limit):
        """Give the next numbers and hashes, and move the head, in one transaction."""
        cr = self.env.cr
        cr.execute(
            SQL(
                """
            INSERT INTO channel_audit_head (company_id, seq, hash) VALUES (%s, 0, '')
            ON CONFLICT (company_id) DO UPDATE SET seq = channel_audit_head.seq
            RETURNING seq, hash
            """,
                company_id,
            )
        )
        seq, previous = cr.fetchone()
        cr.execute(
            SQL(
                "SELECT id, payload FROM channel_audit_entry "
                "WHERE company_id = %s AND seq IS NULL ORDER BY id LIMIT %s",
                company_id,
                limit,
            )
        )
        rows = []
        for entry_id, payload in cr.fetchall():
            seq += 1
            current = digest(previous + payload)
            rows.append(SQL("(%s, %s, %s, %s)", entry_id, seq, previous, current))
            previous = current
        if not rows:
            return 0
        cr.execute(
            SQL(
                """
            UPDATE channel_audit_entry entry
               SET seq = link.seq, previous_hash = link.previous_hash, hash = link.hash
              FROM (VALUES %s) AS link (id, seq, previous_hash, hash)
             WHERE entry.id = link.id
            """,
                SQL(", ").join(rows),
            )
        )
        cr.execute(
            SQL(
                "UPDATE channel_audit_head SET seq = %s, hash = %s, entry_id = %s WHERE company_id = %s",
                seq,
                previous,
                entry_id,
                company_id,
            )
        )
        self.invalidate_model(["seq", "previous_hash", "hash"])
        self.env["channel.audit.head"].invalidate_model()
        # A witness outside the database: the server's log.
        _logger.info("Audit journal of company %s sealed up to %s: %s", company_id, seq, previous)
        return len(rows)

    @api.model
    def _cron_seal(self):
        """Seal what waits, and raise an alert when something waits for too long."""
        sealed, remaining = self._seal()
        self._check_unsealed_age()
        self.env["ir.cron"]._commit_progress(sealed, remaining=remaining)

    @api.model
    def _check_unsealed_age(self):
        """Alert for each company whose oldest unsealed entry is older than the limit, and clear the others.

        The limit in minutes is the system parameter ``channel_base.audit_seal_minutes`` (30 when unset).
        """
        minutes = int(
            # sudo: a number that says nothing about anybody
            self.env["ir.config_parameter"].sudo().get_param("channel_base.audit_seal_minutes", 30)
        )
        limit = fields.Datetime.subtract(fields.Datetime.now(), minutes=minutes)
        late = dict(
            # sudo: the job looks at the journals of all companies
            self.sudo()._read_group(
                [("seq", "=", False), ("date", "<", limit)],
                ["company_id"],
                ["date:min"],
            )
        )
        alerts = self.env["channel.alert"]
        alerts._raise_alerts(
            "audit",
            [
                {
                    "key": f"unsealed-{company.id}",
                    "name": self.env._("Audit journal entries wait to be sealed"),
                    "severity": "critical",
                    "company": company,
                    "note": self.env._(
                        "The oldest entry outside the chain is of %(date)s, the limit is %(minutes)s minutes. "
                        "Check that the scheduled action of the audit journal runs.",
                        date=oldest,
                        minutes=minutes,
                    ),
                }
                for company, oldest in late.items()
            ],
        )
        on_time = (
            # sudo: as above
            self.env["res.company"].sudo().search([("id", "not in", [company.id for company in late])])
        )
        alerts._clear_alerts("audit", [f"unsealed-{company.id}" for company in on_time])
