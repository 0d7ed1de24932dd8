import datetime
import decimal
import json
import threading
from unittest.mock import patch

import psycopg2
from freezegun import freeze_time

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from ..models import channel_audit, channel_audit_entry
from ..tools.canonical import canonical_json, digest
from .common import ChannelCommon


@tagged("post_install", "-at_install")
class TestAudit(ChannelCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Entry = cls.env["channel.audit.entry"]
        cls.Audit = cls.env["channel.audit"]
        cls.Entry._seal()
        cls.entries = cls.Entry.concat(
            *(
                cls.Entry._record(
                    "test.decided",
                    cls.dealer,
                    reason=f"Reason {number}",
                    before={"amount": number},
                    after={"amount": number + 0.1, "on": datetime.date(2026, 1, 31)},
                )
                for number in range(6)
            )
        )
        cls.Entry._seal()

    def _tamper(self, query, *args):
        """Do as a superuser of the database, who can switch triggers off."""
        cr = self.env.cr
        for table in ("channel_audit_entry", "channel_audit_head"):
            cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        cr.execute(SQL(query, *args))
        for table in ("channel_audit_entry", "channel_audit_head"):
            cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()

    def _assert_broken(self, entry_id, reason):
        self.assertEqual(
            self.Audit.verify(),
            {"company_id": self.company.id, "entry_id": entry_id, "reason": reason},
        )

    # === FORMAT === #

    def test_canonical_json(self):
        value = {
            "b": [1, 2.5, True, None],
            "a": "ü流向",
            3: datetime.datetime(2026, 1, 31, 12, 0, 1),
            "d": datetime.date(2026, 1, 31),
            "x": decimal.Decimal("1.10"),
            "s": {"z", "y"},
        }
        self.assertEqual(
            canonical_json(value),
            '{"3":"2026-01-31T12:00:01Z","a":"ü流向","b":[1,2.5,true,null],"d":"2026-01-31","s":["y","z"],"x":"1.10"}',
        )
        self.assertEqual(
            canonical_json(
                datetime.datetime(
                    2026,
                    1,
                    31,
                    20,
                    tzinfo=datetime.timezone(datetime.timedelta(hours=8)),
                )
            ),
            '"2026-01-31T12:00:00Z"',
        )
        with self.assertRaises(TypeError):
            canonical_json(b"bytes")
        with self.assertRaises(ValueError):
            canonical_json(float("nan"))
        # NIST's digest of the text "abc", with the version of the format in front
        self.assertEqual(
            digest("abc"),
            "$1$ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        )

    def test_content_and_chain(self):
        first, second = self.entries[:2]
        self.assertEqual(first.user_id, self.env.user)
        self.assertEqual(first.company_id, self.company)
        self.assertEqual(first.res_name, self.dealer.display_name)
        self.assertEqual(json.loads(first.after), {"amount": 0.1, "on": "2026-01-31"})
        self.assertEqual(second.seq, first.seq + 1)
        self.assertEqual(second.previous_hash, first.hash)
        self.assertEqual(second.hash, digest(first.hash + second.payload))
        self.assertIsNone(self.Audit.verify())

    def test_values_per_record(self):
        partners = self.dealer | self.hospital
        entries = self.Entry._record(
            "test.batch",
            partners,
            before={"state": "a"},
            after={self.dealer.id: {"state": "b"}},
        )
        self.assertEqual(entries.mapped("res_id"), partners.ids)
        self.assertEqual(entries[0].after, '{"state":"b"}')
        self.assertFalse(entries[1].after)
        self.assertEqual(entries[1].before, '{"state":"a"}')

    def test_record_is_set_based(self):
        partners = self.env["res.partner"].create([{"name": f"P{number}"} for number in range(110)])

        def queries(records):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Entry._record("test.many", records)
            return self.env.cr.sql_log_count - start

        self.assertLessEqual(queries(partners[10:]), queries(partners[:10]) + 2)

    # === ACCESS === #

    def test_nobody_writes_over_rpc(self):
        entry = self.entries[0].with_env(self.env)
        for user in (self.user_admin, self.user_auditor, self.user_compliance):
            own = entry.with_user(user)
            self.assertTrue(own.read(["action"]))
            # UserError: AccessError is one of them
            with self.assertRaises(UserError):
                own.create({"action": "x"})
            with self.assertRaises(UserError):
                own.write({"reason": "x"})
            with self.assertRaises(AccessError):
                own.unlink()
        for user in (self.user_sales, self.user_manager, self.user_executive):
            with self.assertRaises(AccessError):
                entry.with_user(user).read(["action"])
            with self.assertRaises(AccessError):
                self.Audit.with_user(user).verify()
        # Superuser rights alone do not open the journal either, nor does a context that names the key.
        with self.assertRaises(UserError):
            self.Entry.sudo().with_context(channel_audit_writer=True).create({"action": "x"})
        with self.assertRaises(UserError):
            entry.sudo().write({"reason": "x"})
        with self.assertRaises(UserError):
            entry.sudo().unlink()

    def test_auditor_verifies(self):
        self.assertIsNone(self.Audit.with_user(self.user_auditor).verify())
        action = self.Audit.with_user(self.user_auditor).action_verify()
        self.assertEqual(action["params"]["type"], "success")
        self._tamper(
            "UPDATE channel_audit_entry SET reason = 'other' WHERE id = %s",
            self.entries[2].id,
        )
        action = self.Audit.with_user(self.user_auditor).action_verify()
        self.assertEqual(action["params"]["type"], "danger")
        self.assertIn(str(self.entries[2].id), action["params"]["message"])

    # === TRIGGER === #

    @mute_logger("odoo.sql_db")
    def test_trigger_refuses(self):
        unsealed = self.Entry._record("test.unsealed", self.dealer)
        statements = [
            SQL(
                "UPDATE channel_audit_entry SET reason = 'x' WHERE id = %s",
                self.entries[0].id,
            ),
            SQL(
                "UPDATE channel_audit_entry SET seq = NULL WHERE id = %s",
                self.entries[0].id,
            ),
            SQL("UPDATE channel_audit_entry SET reason = 'x' WHERE id = %s", unsealed.id),
            SQL(
                "UPDATE channel_audit_entry SET seq = 99, previous_hash = '', hash = '', reason = 'x' WHERE id = %s",
                unsealed.id,
            ),
            SQL("DELETE FROM channel_audit_entry WHERE id = %s", self.entries[0].id),
            SQL("DELETE FROM channel_audit_entry WHERE id = %s", unsealed.id),
            SQL("TRUNCATE channel_audit_entry"),
            SQL("DELETE FROM channel_audit_head"),
            SQL("UPDATE channel_audit_head SET seq = seq - 1"),
            SQL("UPDATE channel_audit_head SET hash = 'x'"),
            SQL("TRUNCATE channel_audit_head"),
        ]
        for statement in statements:
            with (
                self.subTest(statement=statement.code),
                self.assertRaisesRegex(psycopg2.errors.RestrictViolation, "audit journal"),
                self.env.cr.savepoint(flush=False),
            ):
                self.env.cr.execute(statement)
        # installing the guard again changes nothing
        self.Entry.init()
        self.env["channel.audit.head"].init()
        with (
            self.assertRaises(psycopg2.errors.RestrictViolation),
            self.env.cr.savepoint(flush=False),
        ):
            self.env.cr.execute(statements[0])

    # === TAMPERING === #

    def test_column_of_sealed_entry(self):
        for column, value in [
            ("reason", "other"),
            ("res_id", 1),
            ("after", '{"amount":0}'),
            ("after", "not json"),
            ("date", "2020-01-01"),
        ]:
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                self._tamper(
                    "UPDATE channel_audit_entry SET %s = %s WHERE id = %s",
                    SQL.identifier(column),
                    value,
                    self.entries[3].id,
                )
                self._assert_broken(self.entries[3].id, "columns")
                savepoint.rollback()

    def test_payload_changed(self):
        self._tamper(
            "UPDATE channel_audit_entry SET payload = payload || ' ' WHERE id = %s",
            self.entries[3].id,
        )
        self._assert_broken(self.entries[3].id, "payload")

    def test_entry_forged_consistently(self):
        """Whoever changes a sealed entry with its payload and digest still breaks the chain."""
        entry = self.entries[3]
        payload = entry.payload.replace("Reason 3", "Reason X")
        self.assertNotEqual(payload, entry.payload)
        self._tamper(
            "UPDATE channel_audit_entry SET reason = 'Reason X', payload = %s, digest = %s WHERE id = %s",
            payload,
            digest(payload),
            entry.id,
        )
        self._assert_broken(entry.id, "chain")
        # ... also when its own hash is made anew: then the next entry does not follow.
        self._tamper(
            "UPDATE channel_audit_entry SET hash = %s WHERE id = %s",
            digest(entry.previous_hash + payload),
            entry.id,
        )
        self._assert_broken(self.entries[4].id, "chain")

    def test_delete_in_the_middle(self):
        self._tamper("DELETE FROM channel_audit_entry WHERE id = %s", self.entries[3].id)
        self._assert_broken(self.entries[4].id, "gap")

    def test_delete_the_tail(self):
        self._tamper("DELETE FROM channel_audit_entry WHERE id IN %s", tuple(self.entries[4:].ids))
        self._assert_broken(self.entries[5].id, "head")

    def test_delete_everything_but_the_head(self):
        self._tamper("DELETE FROM channel_audit_entry WHERE company_id = %s", self.company.id)
        self._assert_broken(self.entries[5].id, "head")

    def test_head_removed(self):
        self._tamper("DELETE FROM channel_audit_head WHERE company_id = %s", self.company.id)
        self._assert_broken(self.entries[5].id, "head")

    def test_unsealed_entry(self):
        entry = self.Entry._record("test.unsealed", self.dealer, reason="why")
        self.assertIsNone(self.Audit.verify())
        self._tamper("UPDATE channel_audit_entry SET reason = 'other' WHERE id = %s", entry.id)
        self._assert_broken(entry.id, "columns")

    def test_first_of_several_and_windows(self):
        """The first broken entry is named, also when the journal is read in several windows."""
        self._tamper(
            "UPDATE channel_audit_entry SET reason = 'x' WHERE id IN %s",
            (self.entries[5].id, self.entries[2].id),
        )
        with patch.object(channel_audit, "VERIFY_BATCH", 2):
            self._assert_broken(self.entries[2].id, "columns")

    # === SEALING === #

    def test_seal_in_batches(self):
        entries = self.Entry._record("test.many", self.dealer | self.sub_dealer | self.hospital)
        self.assertEqual(self.Entry._seal(limit=2), (2, 1))
        self.assertEqual(entries.mapped("seq")[2], 0)
        self.assertIsNone(self.Audit.verify())
        self.assertEqual(self.Entry._seal(limit=2), (1, 0))
        self.assertEqual(self.Entry._seal(), (0, 0))
        self.assertEqual(
            entries.mapped("seq"),
            [self.entries[5].seq + step for step in (1, 2, 3)],
        )
        self.assertIsNone(self.Audit.verify())

    def test_seal_queries(self):
        """Sealing 100 entries asks the database as often as sealing 10."""

        def queries(number):
            partners = self.env["res.partner"].create([{"name": f"P{index}"} for index in range(number)])
            self.Entry._record("test.many", partners)
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(self.Entry._seal(), (number, 0))
            return self.env.cr.sql_log_count - start

        self.assertEqual(queries(100), queries(10))

    def test_companies_have_chains_of_their_own(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        entries = self.Entry.with_company(other)._record("test.other", self.hospital) | self.Entry._record(
            "test.own", self.hospital
        )
        self.Entry._seal()
        self.assertEqual(entries[0].company_id, other)
        self.assertEqual(entries[0].seq, 1)
        self.assertEqual(entries[0].previous_hash or "", "")
        self.assertEqual(entries[1].seq, self.entries[5].seq + 1)
        self.assertIsNone(self.Audit.verify())

    def test_job_and_late_alert(self):
        entry = self.Entry._record("test.late", self.dealer)
        domain = [
            ("source", "=", "audit"),
            ("company_id", "=", self.company.id),
            ("state", "!=", "resolved"),
        ]
        self.Entry._check_unsealed_age()
        self.assertFalse(self.env["channel.alert"].search(domain))
        with freeze_time(entry.date + datetime.timedelta(minutes=31)):
            self.Entry._check_unsealed_age()
            self.Entry._check_unsealed_age()
            alert = self.env["channel.alert"].search(domain)
            self.assertEqual(alert.severity, "critical")
            self.assertEqual(alert.count, 2)
            with self.enter_registry_test_mode():
                self.env.ref("channel_base.ir_cron_audit_seal").method_direct_trigger()
        self.env.invalidate_all()
        self.assertTrue(entry.seq)
        self.assertEqual(alert.state, "resolved")

    def test_record_asks_the_job_once(self):
        trigger = self.env["ir.cron.trigger"]
        cron = self.env.ref("channel_base.ir_cron_audit_seal")
        self.env.cr.postcommit.data.pop("channel_audit_seal", None)
        before = trigger.search_count([("cron_id", "=", cron.id)])
        self.Entry._record("test.first", self.dealer)
        self.Entry._record("test.second", self.dealer)
        self.assertEqual(trigger.search_count([("cron_id", "=", cron.id)]), before + 1)


@tagged("post_install", "-at_install")
class TestAuditConcurrency(TransactionCase):
    """Writers and sealers on connections of their own, with real commits.

    The entries are removed again, and the head put back, at the end: only by switching the guards off, as
    only the owner of the tables can.
    """

    WRITERS = 2
    ENTRIES = 20

    def setUp(self):
        super().setUp()
        # The job is asked in the database: not from this test.
        self.startPatcher(
            patch.object(
                self.env.registry["channel.audit.entry"],
                "_trigger_seal",
                lambda self: None,
            )
        )

    def _environment(self, cr):
        cr.execute("SET LOCAL lock_timeout = '20s'")
        return api.Environment(cr, SUPERUSER_ID, {})

    def _connect(self):
        return db_connect(self.env.cr.dbname).cursor()

    def _clean(self, first_id, head):
        with self._connect() as cr:
            cr.execute("SET LOCAL lock_timeout = '20s'")
            cr.execute("ALTER TABLE channel_audit_entry DISABLE TRIGGER USER")
            cr.execute("ALTER TABLE channel_audit_head DISABLE TRIGGER USER")
            cr.execute(
                "DELETE FROM channel_audit_entry WHERE id > %s AND action = 'test.concurrent'",
                [first_id],
            )
            cr.execute("DELETE FROM channel_audit_head WHERE company_id = 1")
            if head:
                cr.execute(
                    "INSERT INTO channel_audit_head (id, company_id, seq, hash, entry_id) VALUES %s",
                    [head],
                )
            cr.execute("ALTER TABLE channel_audit_entry ENABLE TRIGGER USER")
            cr.execute("ALTER TABLE channel_audit_head ENABLE TRIGGER USER")

    def test_writers_do_not_wait(self):
        """Two open transactions write at the same time; neither waits for the other, and nothing is kept."""
        with self._connect() as one, self._connect() as two:
            for cr in (one, two):
                cr.execute("SET LOCAL lock_timeout = '500ms'")
                env = api.Environment(cr, SUPERUSER_ID, {})
                entries = env["channel.audit.entry"]._record("test.concurrent", env.ref("base.main_partner"))
                self.assertTrue(entries.id)
            # A sealer of the first transaction holds the company; a second one leaves it alone.
            sealer = api.Environment(one, SUPERUSER_ID, {})["channel.audit.entry"]
            company = env.ref("base.main_partner").company_id.id or env.company.id
            self.assertGreaterEqual(sealer._seal_company(company, 100), 1)
            self.assertEqual(
                api.Environment(two, SUPERUSER_ID, {})["channel.audit.entry"]._seal_company(company, 100),
                0,
            )
            for cr in (two, one):
                cr.rollback()

    @mute_logger("odoo.sql_db")  # writers that meet are told to try again
    def test_concurrent_writers_and_sealers(self):
        with self._connect() as cr:
            self._environment(cr)["channel.audit.entry"]._seal()
            cr.execute("SELECT COALESCE(max(id), 0) FROM channel_audit_entry")
            first_id = cr.fetchone()[0]
            cr.execute("SELECT id, company_id, seq, hash, entry_id FROM channel_audit_head WHERE company_id = 1")
            head = cr.fetchone()
        self.addCleanup(self._clean, first_id, head)
        errors, done = [], threading.Event()

        def run(work):
            try:
                work()
            except Exception as error:
                errors.append(error)

        def write():
            for _number in range(self.ENTRIES):
                with self._connect() as cr:
                    env = self._environment(cr)
                    env["channel.audit.entry"]._record("test.concurrent", env["res.company"].browse(1).partner_id)

        def seal():
            last = False
            while not last:
                last = done.is_set()
                with self._connect() as cr:
                    self._environment(cr)["channel.audit.entry"]._seal(limit=3)

        def verify():
            while not done.is_set():
                with self._connect() as cr:
                    env = self._environment(cr)
                    broken = env["channel.audit"]._verify_chain(1)
                    if broken:
                        errors.append(broken)

        writers = [threading.Thread(target=run, args=(write,)) for _ in range(self.WRITERS)]
        others = [threading.Thread(target=run, args=(work,)) for work in (seal, seal, verify)]
        for thread in writers + others:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in others:
            thread.join()
        self.assertFalse(errors)
        with self._connect() as cr:
            env = self._environment(cr)
            while env["channel.audit.entry"]._seal()[0]:
                pass
            cr.execute(
                "SELECT count(*), count(DISTINCT seq) FROM channel_audit_entry "
                "WHERE id > %s AND action = 'test.concurrent'",
                [first_id],
            )
            expected = self.WRITERS * self.ENTRIES
            self.assertEqual(cr.fetchone(), (expected, expected))
            self.assertIsNone(env["channel.audit"]._verify_chain(1))


class TestAuditUnits(TransactionCase):
    def test_payload_names_every_column(self):
        """A column that the payload does not repeat would not be protected by the chain."""
        chain = {"id", "seq", "previous_hash", "hash", "payload", "digest"}
        stored = {
            name for name, field in self.env["channel.audit.entry"]._fields.items() if field.store and field.column_type
        }
        self.assertEqual(stored - chain, set(channel_audit_entry.PAYLOAD_COLUMNS))
