from datetime import datetime, time

from odoo import api, fields, models
from odoo.tools import SQL, format_date

ALERT_SOURCE = "register"
#: Answers that need a person.
ALARMING = ("mismatch", "not_found")


class ChannelVerification(models.Model):
    """What a register said about a record on a day: found and the same, found with differences, or not found."""

    _name = "channel.verification"
    _description = "Answer of a Register"
    _order = "date desc, id desc"
    _rec_name = "number"

    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", required=True, readonly=True)
    res_name = fields.Char(string="Document", compute="_compute_res_name")
    partner_id = fields.Many2one(
        "res.partner", string="Member", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    region_id = fields.Many2one(related="partner_id.channel_region_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(related="partner_id.company_id", store=True, index="btree_not_null")
    number = fields.Char(required=True, readonly=True)
    provider = fields.Char(required=True, readonly=True)
    list_id = fields.Many2one(
        "channel.register.list", string="Official List", readonly=True, ondelete="set null", index=True
    )
    source = fields.Char(required=True, readonly=True, help="Name and date of the list at the time.")
    result = fields.Selection(
        [
            ("match", "Found, the same"),
            ("mismatch", "Found, with differences"),
            ("not_found", "Not found"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    complete = fields.Boolean(
        string="List Is Complete", readonly=True, help="Not found in a complete list means that it does not exist."
    )
    disappeared = fields.Boolean(readonly=True, help="An earlier look-up had found it.")
    differences = fields.Json(readonly=True, help="[{fact, label, ours, theirs}]")
    difference_text = fields.Text(string="What Differs", compute="_compute_difference_text")
    date = fields.Datetime(string="First Answered", required=True, readonly=True, default=fields.Datetime.now)
    last_date = fields.Datetime(string="Last Answered", required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", readonly=True, help="Who asked; empty for the nightly job.")

    _document_idx = models.Index("(res_model, res_id, id DESC)")

    #=== COMPUTE METHODS ===#

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        for model, verifications in self.grouped("res_model").items():
            # sudo: who may read the answer sees the name of what it is about
            records = self.env[model].sudo().browse(verifications.mapped("res_id")) if model in self.env else None
            names = {record.id: record.display_name for record in records.exists()} if records else {}
            for verification in verifications:
                verification.res_name = names.get(verification.res_id, False)

    @api.depends("differences")
    @api.depends_context("lang")
    def _compute_difference_text(self):
        labels = self.env["channel.register"]._fact_labels()
        for verification in self:
            verification.difference_text = "\n".join(
                self.env._(
                    "%(label)s: %(ours)s here, %(theirs)s in the register",
                    label=labels.get(difference["fact"], difference["fact"]),
                    ours=difference["ours"] or "-",
                    theirs=difference["theirs"] or "-",
                )
                for difference in verification.differences or ()
            ) or False

    #=== ACTION METHODS ===#

    def _open(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_member.channel_verification_action")
        if len(self) == 1:
            return {**action, "view_mode": "form", "views": [(False, "form")], "res_id": self.id, "target": "new"}
        return {**action, "domain": [("id", "in", self.ids)]}

    def action_open_document(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }

    #=== BUSINESS METHODS ===#

    @api.model
    def _latest(self, model, res_ids):
        """``{res_id: verification}``, the newest answer about each record, in one query."""
        if not res_ids:
            return {}
        self.flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT DISTINCT ON (res_id) res_id, id FROM channel_verification
             WHERE res_model = %s AND res_id IN %s
          ORDER BY res_id, id DESC
            """,
            model, tuple(res_ids),
        ))
        verifications = self.browse([row[1] for row in rows])
        return {res_id: verification for (res_id, _id), verification in zip(rows, verifications, strict=True)}

    @api.model
    def _search_latest(self, model, results):
        """Ids of the records of a model whose newest answer is one of ``results``; None for any answer."""
        self.flush_model()
        return [row[0] for row in self.env.execute_query(SQL(
            """
            SELECT res_id FROM (
                SELECT DISTINCT ON (res_id) res_id, result FROM channel_verification
                 WHERE res_model = %s
              ORDER BY res_id, id DESC
            ) latest
             WHERE %s
            """,
            model, SQL("TRUE") if results is None else SQL("latest.result IN %s", tuple(results) or ("",)),
        ))]

    @api.model
    def _record_answers(self, answered):
        """Keep answers of registers, and raise or clear the alerts about them.

        :param answered: list of ``(record, ask, answer)`` with the ask and answer of :meth:`channel.register._lookup`
        :return: ``channel.verification``, one for each, in order
        """
        now = fields.Datetime.now()
        # sudo: answers are written by this method only; who may ask is checked by the callers.
        Verification = self.sudo()
        before = {}
        for model in {record._name for record, _ask, _answer in answered}:
            ids = [record.id for record, _ask, _answer in answered if record._name == model]
            for res_id, verification in Verification._latest(model, ids).items():
                before[model, res_id] = verification
        lists = self.env["channel.register.list"].sudo().browse([answer["list_id"] for *_, answer in answered])
        result, same, fresh = [], Verification, []
        for record, ask, answer in answered:
            last = before.get((record._name, record.id))
            differences = self._differences(record, answer) if answer["found"] else []
            outcome = "not_found" if not answer["found"] else "mismatch" if differences else "match"
            register_list = lists.browse(answer["list_id"])
            values = {
                "number": ask["number"],
                "provider": answer["provider"],
                "list_id": register_list.id,
                "result": outcome,
                "complete": answer["complete"],
                "disappeared": outcome == "not_found" and bool(
                    last and (last.result != "not_found" or last.disappeared)
                ),
                "differences": differences,
            }
            if last and all(
                (last[name].id if name == "list_id" else last[name] or False) == (value or False)
                for name, value in values.items()
            ):
                same |= last
                result.append(last)
            else:
                fresh.append({
                    **values,
                    "res_model": record._name,
                    "res_id": record.id,
                    "partner_id": record._register_member().id,
                    "source": self._source(register_list),
                    "date": now,
                    "last_date": now,
                    "user_id": False if self.env.su else self.env.uid,
                })
                result.append(None)
        for verification in same:
            verification.write({"last_date": now, "source": self._source(verification.list_id)})
        created = iter(Verification.create(fresh))
        verifications = Verification.union(*(kept or next(created) for kept in result)) if result else Verification
        verifications._tell([record for record, _ask, _answer in answered])
        return verifications.sudo(self.env.su)

    @api.model
    def _source(self, register_list):
        if not register_list.as_of:
            return register_list.name or ""
        return self.env._(
            "%(name)s as of %(date)s", name=register_list.name, date=format_date(self.env, register_list.as_of)
        )

    @api.model
    def _differences(self, record, answer):
        """``[{fact, ours, theirs}]`` of a found number; what either side does not tell is not compared."""
        entries = self.env["channel.register.entry"]
        ours, theirs = record._register_facts(), answer["facts"]
        differences = []
        for fact in self.env["channel.register"]._fact_labels():
            said, believed = theirs.get(fact), ours.get(fact)
            if not said:
                continue
            # That a document has no end is a belief too: the register may know of one.
            if not believed and not (fact == "date_to" and fact in ours):
                continue
            if not entries._same(fact, believed, said):
                differences.append({
                    "fact": fact,
                    "ours": fields.Date.to_string(believed) if fact.startswith("date_") else believed or False,
                    "theirs": fields.Date.to_string(said) if fact.startswith("date_") else said,
                })
        return differences

    def _tell(self, records):
        """Raise an alert for each alarming answer and clear those about records whose last answer is good."""
        values_list, good = [], []
        for verification, record in zip(self, records, strict=True):
            key = f"{record._name}:{record.id}"
            alarming = verification.result == "mismatch" or (
                verification.result == "not_found" and (verification.disappeared or verification.complete)
            )
            if not alarming:
                good.append(key)
                continue
            names = {"document": record.display_name, "register": verification.source}
            if verification.result == "mismatch":
                name = self.env._("%(document)s differs from %(register)s", **names)
            elif verification.disappeared:
                name = self.env._("%(document)s has disappeared from %(register)s", **names)
            else:
                name = self.env._("%(document)s is not in %(register)s", **names)
            values = {
                "key": key,
                "name": name,
                "severity": "critical" if verification.result == "not_found" else "warning",
                "record": record,
                "region": record._register_member().channel_region_id,
                "note": verification.difference_text or False,
            }
            values_list.append(values)
        alerts = self.env["channel.alert"]
        if good:
            alerts._clear_alerts(ALERT_SOURCE, good)
        if values_list:
            alerts._raise_alerts(ALERT_SOURCE, values_list)

    #=== JOBS ===#

    @api.model
    def _cron_verify(self, batch=1000):
        """Look up again whatever is in force and of which a list is kept that is verified every night.

        Safe to run twice: an answer that has not changed is confirmed, not doubled.
        """
        lists = self.env["channel.register.list"].search([("auto_verify", "=", True)])
        if not lists.type_ids:
            return
        # What was answered today, and since the last file came in, needs no second answer.
        since = max([
            datetime.combine(fields.Date.today(), time.min), *filter(None, lists.mapped("imported_at"))
        ])
        pending = []
        for model, domain in (
            ("channel.qualification", self.env["channel.qualification"]._register_domain()),
            ("channel.registration", self.env["channel.registration"]._register_domain()),
        ):
            answered = {
                verification.res_id
                for verification in self.search([("res_model", "=", model), ("last_date", ">=", since)])
            }
            found = self.env[model].search([("type_id", "in", lists.type_ids.ids), *domain]).ids
            ids = [res_id for res_id in found if res_id not in answered]
            pending += [(model, ids[start:start + batch]) for start in range(0, len(ids), batch)]
        remaining = sum(len(ids) for _model, ids in pending)
        self.env["ir.cron"]._commit_progress(remaining=remaining)
        for model, ids in pending:
            self.env[model].browse(ids).exists()._verify_in_register()
            remaining -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=remaining):
                break
