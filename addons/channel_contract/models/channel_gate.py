from collections import defaultdict

from odoo import models
from odoo.tools import SQL, format_date, formatLang

# Who buys to sell on, or sells in our name: does so under a contract. Hospitals buy without one.
CONTRACT_ROLES = ("distributor", "sub_distributor", "agent")


class ChannelGate(models.AbstractModel):
    _inherit = "channel.gate"

    def _check_contract_in_force(self, requests):
        """A member who trades needs an approved contract version on the document's day, with the document's company."""
        asked = [request for request in requests if request.member.channel_role in CONTRACT_ROLES]
        answers = self.env["channel.contract"]._versions_in_force(
            [(request.member.id, request.company.id, request.date) for request in asked]
        )
        for request, versions in zip(asked, answers, strict=True):
            if not versions:
                yield request.finding(
                    self.env._(
                        "%(member)s has no contract with %(company)s in force on %(date)s.",
                        member=request.member.name,
                        company=request.company.name,
                        date=request.date,
                    ),
                    basis={"date": request.date.isoformat(), "company_id": request.company.id},
                )

    def _check_contract_scope(self, requests):
        """What is ordered, and for whom, lies within what the member's contract covers.

        A contract covers what the authorizations that rest on its version cover; one on which none rests says nothing
        about products and territory. Of several contracts in force, one that covers a line is enough.
        """
        asked = []
        for request, versions in self._governed(requests):
            if all(
                any(authorization.state == "approved" for authorization in version.authorization_ids)
                for version in versions
            ):
                asked += [(request, line, versions) for line in request.lines if line.product]
        matches = self.env["channel.authorization"]._match_lines(
            [
                {
                    "member_id": request.member.id,
                    "customer_id": request.customer.id,
                    "product_id": line.product.id,
                    "date": request.date,
                    "company_id": request.company.id,
                }
                for request, line, _versions in asked
            ]
        )
        for (request, line, versions), match in zip(asked, matches, strict=True):
            if not match.covering.contract_version_id & versions:
                yield request.finding(
                    self.env._(
                        "%(product)s%(customer)s is outside what %(contracts)s covers.",
                        product=line.product.display_name,
                        customer=self.env._(" for %s", request.customer.name) if request.customer else "",
                        contracts=", ".join(versions.contract_id.mapped("name")),
                    ),
                    line=line,
                    basis={"version_ids": sorted(versions.ids)},
                )

    def _check_contract_commitment(self, requests):
        """The last completed period of a commitment was missed beyond its tolerance."""
        governed = self._governed(requests)
        commitments = self.env["channel.contract.commitment"].union(
            *(versions.contract_id.version_ids.commitment_ids for _request, versions in governed)
        )
        rows = defaultdict(list)
        for row in self.env["channel.contract.performance"]._rows_of(commitments):
            rows[row["contract_id"]].append(row)
        names = {commitment.id: commitment.name for commitment in commitments}
        for request, versions in governed:
            last = {}
            for contract in versions.contract_id:
                for row in rows[contract.id]:
                    if row["period_end"] < request.date:
                        # The same commitment of the next version goes on with the count
                        last[contract, names[row["commitment_id"]]] = row
            for (contract, name), row in last.items():
                if row["status"] == "missed":
                    yield request.finding(
                        self.env._(
                            "%(contract)s: the commitment “%(commitment)s” was missed from %(start)s to %(end)s.",
                            contract=contract.name,
                            commitment=name,
                            start=format_date(self.env, row["period_start"]),
                            end=format_date(self.env, row["period_end"]),
                        ),
                        basis={"commitment_id": row["commitment_id"], "period": row["period_start"].isoformat()},
                    )

    def _check_contract_credit(self, requests):
        """What the member owes, with this order, stays within the contract's credit, and nothing is overdue too long.

        Owed is what is open on posted receivables, and what is ordered and not yet invoiced; taxes included.
        """
        asked = [
            (request, versions[:1])
            for request, versions in self._governed(requests)
            if versions[:1].has_credit_limit or versions[:1].stops_overdue
        ]
        owed = self._credit_owed([request for request, _version in asked])
        for request, version in asked:
            currency = request.company.currency_id
            exposure, oldest = owed.get((request.member.id, request.company.id), (0.0, None))
            exposure += self._credit_of_request(request)
            if version.has_credit_limit:
                limit = version.currency_id._convert(version.credit_limit, currency, request.company, request.date)
                if currency.compare_amounts(exposure, limit) > 0:
                    yield request.finding(
                        self.env._(
                            "With this order %(member)s owes %(exposure)s; contract %(contract)s gives a credit of "
                            "%(limit)s.",
                            member=request.member.name,
                            exposure=formatLang(self.env, exposure, currency_obj=currency),
                            contract=version.contract_id.name,
                            limit=formatLang(self.env, limit, currency_obj=currency),
                        ),
                        basis={"exposure": currency.round(exposure), "limit": currency.round(limit)},
                    )
            if version.stops_overdue and oldest and (request.date - oldest).days > version.overdue_days:
                yield request.finding(
                    self.env._(
                        "%(member)s owes something that was due on %(due)s; contract %(contract)s gives %(days)s days "
                        "of grace.",
                        member=request.member.name,
                        due=format_date(self.env, oldest),
                        contract=version.contract_id.name,
                        days=version.overdue_days,
                    ),
                    basis={"due": oldest.isoformat()},
                )

    def _governed(self, requests):
        """:return: ``[(request, versions in force)]`` of members who trade and have a contract on the day"""
        asked = [request for request in requests if request.member.channel_role in CONTRACT_ROLES]
        answers = self.env["channel.contract"]._versions_in_force(
            [(request.member.id, request.company.id, request.date) for request in asked]
        )
        return [(request, versions) for request, versions in zip(asked, answers, strict=True) if versions]

    def _credit_owed(self, requests):
        """:return: ``{(member_id, company_id): (amount in the company's currency, oldest due date)}``, one query.
            Orders among the requests themselves do not count.
        """
        if not requests:
            return {}
        for model in ("account.move.line", "account.move", "sale.order", "sale.order.line", "res.partner"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member_id, company_id, sum(amount), min(due)
                  FROM (SELECT partner.commercial_partner_id AS member_id, l.company_id, l.amount_residual AS amount,
                               CASE WHEN l.amount_residual > 0 THEN l.date_maturity END AS due
                          FROM account_move_line l
                          JOIN account_account account ON account.id = l.account_id
                           AND account.account_type = 'asset_receivable'
                          JOIN res_partner partner ON partner.id = l.partner_id
                         WHERE l.parent_state = 'posted' AND l.reconciled IS NOT TRUE
                           AND partner.commercial_partner_id = ANY(%(members)s)
                         UNION ALL
                        SELECT partner.commercial_partner_id, o.company_id,
                               GREATEST(l.price_total * (1 - l.qty_invoiced / NULLIF(l.product_uom_qty, 0)), 0)
                               / COALESCE(NULLIF(o.currency_rate, 0), 1), NULL
                          FROM sale_order_line l
                          JOIN sale_order o ON o.id = l.order_id AND o.state = 'sale'
                          JOIN res_partner partner ON partner.id = o.partner_id
                         WHERE partner.commercial_partner_id = ANY(%(members)s) AND NOT o.id = ANY(%(own)s)
                       ) AS owed
                 GROUP BY member_id, company_id
                """,
                members=list({request.member.id for request in requests}),
                own=[
                    request.record._origin.id
                    for request in requests
                    if request.record and request.record._name == "sale.order" and request.record._origin
                ],
            )
        )
        return {(member_id, company_id): (float(amount or 0), due) for member_id, company_id, amount, due in rows}

    def _credit_of_request(self, request):
        """:return: what the request itself adds, in the company's currency"""
        if request.record and request.record._name == "sale.order":
            amount = request.record.amount_total
        else:
            amount = sum(line.quantity * (line.price_unit or 0.0) for line in request.lines)
        currency = request.currency or request.company.currency_id
        return currency._convert(amount, request.company.currency_id, request.company, request.date)
