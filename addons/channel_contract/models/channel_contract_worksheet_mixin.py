from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

#: How many rows of a kind are listed; the sums are of all.
LISTED = 15
#: Kinds of events that change what holds under a contract.
EVENTS = ("suspended", "resumed", "terminated", "notice", "renewed", "superseded", "ended", "refused")


class ChannelContractWorksheetMixin(models.AbstractModel):
    """What happened under a contract, on one page, for whoever decides about its renewal."""

    _name = "channel.contract.worksheet.mixin"
    _description = "Renewal Worksheet of a Contract"

    def action_renewal_worksheet(self):
        """Print the worksheet."""
        self._check_may_see_worksheet()
        return self.env.ref("channel_contract.channel_contract_worksheet_report").report_action(self)

    def _check_may_see_worksheet(self):
        self.check_access("read")
        # The member reads its contract on the portal, but not what the company thinks of renewing it
        if not self.env.user.has_group("channel_base.group_channel_user"):
            raise AccessError(self.env._("The renewal worksheet is for people of the channel only."))

    def _renewal_worksheet(self):
        """What is known about one contract, as plain data. The number of queries does not depend on its size.

        Sums are of everything under the contract. Rows of findings and special prices are those that the reader may
        read; ``None`` in their place when the reader may read none of that kind.

        :return: dict with ``contract`` (number, title, member, owner, stage), ``term``, ``turnover``, ``commitments``,
            ``special_prices``, ``findings``, ``obligations``, ``receivables``, ``amendments`` and ``events``. Amounts
            in the contract's currency, before tax, but receivables in the company's, with tax
        :raise AccessError: for who may not read the contract, and for portal users
        """
        self.ensure_one()
        self._check_may_see_worksheet()
        # sudo: all versions of a contract that the reader may read
        versions = self.sudo().version_ids.filtered(lambda version: version.state in ("approved", "superseded"))
        versions = versions.sorted("number")
        today = self.company_id._channel_today()
        first = min(versions.mapped("valid_from"), default=False)
        last = self._last_version()
        return {
            "contract": {
                "number": self.name,
                "title": self.title,
                # sudo: the names of the parties
                "member": self.sudo().member_id.name,
                "company": self.sudo().company_id.name,
                "owner": self.sudo().user_id.name or None,
                "stage": self._worksheet_label(self, "stage"),
                "currency": self.currency_id.name,
                "company_currency": self.sudo().company_id.currency_id.name,
                "date": today,
            },
            "term": self._worksheet_term(first, last, today),
            "turnover": self._worksheet_turnover(versions),
            "commitments": self._worksheet_commitments(versions, today),
            "special_prices": self._worksheet_special_prices(first, last, today),
            "findings": self._worksheet_findings(first, last, today),
            "obligations": self._worksheet_obligations(),
            "receivables": self._worksheet_receivables(versions, today),
            "amendments": [
                {
                    "version": version.number,
                    "purpose": version.purpose or None,
                    "valid_from": version.valid_from,
                    "valid_to": version.valid_to or None,
                    "state": self._worksheet_label(version, "state"),
                    "backdated_days": version.backdated_days,
                }
                for version in versions
            ],
            "events": [
                {"date": event.date, "summary": event.summary, "note": event.note or None}
                for event in self.env["channel.contract.event"].search(
                    [("contract_id", "=", self.id), ("kind", "in", EVENTS)], order="id desc", limit=LISTED
                )
            ],
        }

    def _worksheet_label(self, record, name):
        return dict(record._fields[name]._description_selection(self.env)).get(record[name])

    def _worksheet_term(self, first, last, today):
        """First and last day, and the last one on which notice can be given."""
        notice = last.valid_to and fields.Date.subtract(last.valid_to, days=last.notice_days or 0)
        return {
            "first_day": first or None,
            "last_day": last.valid_to or None,
            "days_left": (last.valid_to - today).days if last.valid_to else None,
            "renewal": self._worksheet_label(last, "renewal") if last else None,
            "notice_days": last.notice_days or 0,
            "notice_until": notice or None,
            "notice_given_on": self.notice_given_on or None,
            "terminated_on": self.terminated_on or None,
            "suspended_days": sum(
                # sudo: how long the contract was suspended is the same for everybody who sees it
                ((row.lifted_on or today) - row.date_from).days
                for row in self.sudo().suspension_ids
                if row.date_from <= today
            ),
        }

    def _worksheet_turnover(self, versions):
        """Net invoiced under the contract, by quarter: ``[{year, quarters: [4 sums], total}]``, oldest first."""
        # Sums only, of the contract that the reader may read: invoices themselves are not shown
        self.env["account.move"].flush_model()
        self.env["res.currency.rate"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT extract(year FROM day)::int AS year, %(quarters)s, round(sum(net)::numeric, %(digits)s)
                  FROM (%(invoices)s) AS doc
                 GROUP BY 1
                 ORDER BY 1
                """,
                quarters=SQL(", ").join(
                    SQL(
                        "round(COALESCE(sum(net) FILTER (WHERE extract(quarter FROM day) = %s), 0)::numeric, %s)",
                        quarter,
                        self.currency_id.decimal_places,
                    )
                    for quarter in range(1, 5)
                ),
                digits=self.currency_id.decimal_places,
                invoices=self._worksheet_invoices_sql(versions),
            )
        )
        return [
            {"year": year, "quarters": [float(amount) for amount in quarters], "total": float(total)}
            for year, *quarters, total in rows
        ]

    def _worksheet_invoices_sql(self, versions):
        """:return: SQL of ``(day, net)``: before tax, in the contract's currency, credit notes negative"""
        return SQL(
            """
            SELECT m.invoice_date AS day,
                   CASE WHEN m.currency_id = %(currency)s
                        THEN m.amount_untaxed * CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                        WHEN %(currency)s = %(company_currency)s THEN m.amount_untaxed_signed
                        ELSE m.amount_untaxed_signed * COALESCE(
                             (SELECT rate.rate FROM res_currency_rate rate
                               WHERE rate.currency_id = %(currency)s AND rate.name <= m.invoice_date
                                 AND (rate.company_id IS NULL OR rate.company_id = m.company_id)
                               ORDER BY rate.company_id NULLS LAST, rate.name DESC LIMIT 1), 1)
                   END AS net
              FROM account_move m
             WHERE m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
               AND m.channel_contract_version_id = ANY(%(versions)s)
            """,
            currency=self.currency_id.id,
            company_currency=self.sudo().company_id.currency_id.id,
            versions=versions.ids,
        )

    def _worksheet_commitments(self, versions, today):
        """Each commitment and period that has begun, newest first."""
        # sudo: commitments of the contract that the reader may read, see the query of performance
        performance = self.env["channel.contract.performance"].sudo()
        commitments = versions.commitment_ids.filtered(lambda line: line.version_id._stands())
        statuses = dict(performance._fields["status"]._description_selection(self.env))
        rows = performance._rows_of(commitments, through=today)
        by_id = {line.id: line for line in commitments}
        return [
            {
                "name": by_id[row["commitment_id"]].name,
                "unit": by_id[row["commitment_id"]]._unit_text()
                if row["measure"] == "quantity"
                else self.currency_id.name,
                "digits": 0 if row["measure"] == "quantity" else self.currency_id.decimal_places,
                "period_start": row["period_start"],
                "period_end": row["period_end"],
                "target": float(row["target"]),
                "achieved": float(row["achieved"]),
                "progress": float(row["progress"] or 0),
                "status": row["status"],
                "status_label": statuses[row["status"]],
            }
            for row in reversed(rows)
        ]

    def _worksheet_special_prices(self, first, last, today):
        Request = self.env["channel.price.request"]
        if not Request.has_access("read"):
            return None
        if not first:
            return {"count": 0, "amount": 0.0, "rows": []}
        domain = (
            Domain("member_id", "=", self.member_id.id)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("state", "in", ("approved", "closed"))
            & Domain("date_to", ">=", first)
            & Domain("date_from", "<=", last.valid_to or today)
        )
        count = Request.search_count(domain)
        [(amount,)] = self.env["channel.price.request.line"]._read_group(
            Domain("request_id", "any", domain), [], ["amount:sum"]
        )
        return {
            "count": count,
            "amount": amount or 0.0,
            "rows": [
                {
                    "number": request.name,
                    # sudo: the name of the hospital of a request that the reader may read
                    "customer": request.sudo().customer_id.name or None,
                    "date_from": request.date_from,
                    "date_to": request.ended_on or request.date_to,
                    "products": len(request.line_ids),
                }
                for request in Request.search(domain, order="date_from desc, id desc", limit=LISTED)
            ],
        }

    def _worksheet_findings(self, first, last, today):
        Finding = self.env["channel.gate.finding"]
        if not Finding.has_access("read"):
            return None
        if not first:
            return {"counts": [], "overrides": []}
        domain = (
            Domain("member_id", "=", self.member_id.id)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("document_date", ">=", first)
            & Domain("document_date", "<=", last.valid_to or today)
        )
        counts = {}
        for check, state, count in Finding._read_group(domain, ["check_id", "state"], ["__count"]):
            # sudo: the name of the check
            row = counts.setdefault(check, {"check": check.sudo().name, **dict.fromkeys(
                ("open", "refused", "overridden", "resolved"), 0)})
            row[state] += count
        return {
            "counts": list(counts.values()),
            "overrides": [
                {
                    # sudo: the names of check and person of a finding that the reader may read
                    "check": finding.sudo().check_id.name,
                    "document": finding.document_name,
                    "date": finding.document_date,
                    "user": finding.sudo().override_user_id.name,
                    "reason": finding.override_reason,
                }
                for finding in Finding.search(
                    domain & Domain("state", "=", "overridden"), order="override_at desc, id desc", limit=LISTED
                )
            ],
        }

    def _worksheet_obligations(self):
        Obligation = self.env["channel.contract.obligation"]
        own = Domain("contract_id", "=", self.id)
        done = {late: count for late, count in Obligation._read_group(
            own & Domain("state", "=", "done"), ["done_late"], ["__count"])}
        return {
            "done": done.get(False, 0),
            "done_late": done.get(True, 0),
            "open": Obligation.search_count(own & Domain("status", "=", "open")),
            "overdue": Obligation.search_count(own & Domain("status", "=", "overdue")),
            "waived": Obligation.search_count(own & Domain("state", "=", "waived")),
            "rows": [
                {
                    "name": row.name,
                    "side": self._worksheet_label(row, "side"),
                    "date_due": row.date_due,
                    "done_on": row.done_on or None,
                    "status": row.status,
                    "status_label": self.env._("Done late") if row.done_late else self._worksheet_label(row, "status"),
                }
                for row in Obligation.search(
                    own & (Domain("state", "=", "open") | Domain("done_late", "=", True)),
                    order="state desc, date_due, id",
                    limit=LISTED,
                )
            ],
        }

    def _worksheet_receivables(self, versions, today):
        """What is unpaid of invoices under the contract, and for how long."""
        # Sums only, as of turnover
        self.env["account.move"].flush_model()
        [(open_amount, overdue, oldest)] = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(sum(m.amount_residual_signed), 0),
                       COALESCE(sum(m.amount_residual_signed) FILTER (WHERE m.invoice_date_due < %(today)s::date), 0),
                       min(m.invoice_date_due) FILTER (WHERE m.invoice_date_due < %(today)s::date
                                                         AND m.amount_residual_signed > 0)
                  FROM account_move m
                 WHERE m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
                   AND m.payment_state NOT IN ('paid', 'reversed')
                   AND m.channel_contract_version_id = ANY(%(versions)s)
                """,
                today=today,
                versions=versions.ids,
            )
        )
        return {
            "open": float(open_amount),
            "overdue": float(overdue),
            "overdue_days": (today - oldest).days if oldest else 0,
        }
