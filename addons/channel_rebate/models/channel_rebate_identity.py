from odoo import api, models
from odoo.tools import SQL

#: Alerts name so many balances that do not hold; the others are counted
NAMED = 10


class ChannelRebateIdentity(models.AbstractModel):
    """What must always hold of rebates, checked over all balances by one statement.

    * settled + open = earned + corrections
    * what a balance calls accrued and settled is what posted journal items say
    * what it calls corrected is what approved corrections say
    * its lines, and what it earned without lines, add up to what it earned

    Nothing is mended: a balance that does not hold is a fault to be looked into.
    """

    _name = "channel.rebate.identity"
    _description = "Identity Check of Rebates"

    @api.model
    def check(self, program_ids=None):
        """Check balances; to be called by an auditor, an accountant, or a script (``./channel shell``).

        :param list program_ids: only of these programmes; of all that the user may read when missing
        :return: list of dicts ``{"balance_id", "program", "member", "window", "problem", "expected", "found"}``, empty
            when everything holds; ``problem`` is ``open``, ``accrued``, ``settled``, ``corrected`` or ``lines``
        """
        Balance = self.env["channel.rebate.balance"]
        Balance.check_access("read")
        # Payees read their windows, but they do not audit our books
        self.env["channel.rebate.program"].check_access("read")
        self.env.flush_all()
        domain = [("program_id", "in", program_ids)] if program_ids is not None else []
        readable = Balance._search(domain)
        rows = self.env.execute_query_dict(SQL(
            """
            WITH balance AS (
                SELECT id, program_id, member_id, window_start, window_end, currency_id, entitlement, accrued_amount,
                       settled_amount, open_amount, correction_amount, COALESCE(unallocated_amount, 0) AS unallocated
                  FROM channel_rebate_balance
                 WHERE id IN %(readable)s
            ),
            booked AS (
                SELECT item.channel_rebate_balance_id AS id,
                       -SUM(item.amount_currency) FILTER (WHERE item.channel_rebate_role = 'accrual') AS accrued,
                       SUM(item.amount_currency) FILTER (WHERE item.channel_rebate_role = 'settlement') AS settled
                  FROM account_move_line item
                 WHERE item.channel_rebate_balance_id IN (SELECT id FROM balance) AND item.parent_state = 'posted'
              GROUP BY 1
            ),
            corrected AS (
                SELECT balance_id AS id, SUM(amount) AS amount
                  FROM channel_rebate_correction
                 WHERE state = 'approved' AND balance_id IN (SELECT id FROM balance)
              GROUP BY 1
            ),
            lines AS (
                SELECT balance.id, SUM(entry.rebate_amount) AS amount
                  FROM balance
                  JOIN channel_rebate_entry entry
                    ON entry.program_id = balance.program_id AND entry.member_id = balance.member_id
                   AND entry.window_start = balance.window_start AND entry.window_end = balance.window_end
              GROUP BY 1
            ),
            figure AS (
                SELECT balance.*, COALESCE(booked.accrued, 0) AS books_accrued,
                       COALESCE(booked.settled, 0) AS books_settled, COALESCE(corrected.amount, 0) AS corrected,
                       COALESCE(lines.amount, 0) + balance.unallocated AS by_lines
                  FROM balance
             LEFT JOIN booked USING (id)
             LEFT JOIN corrected USING (id)
             LEFT JOIN lines USING (id)
            )
            SELECT figure.id, program_id, member_id, problem, expected, found
              FROM figure
              JOIN res_currency currency ON currency.id = figure.currency_id
        CROSS JOIN LATERAL (VALUES
                    ('open', entitlement + correction_amount - settled_amount, open_amount),
                    ('accrued', books_accrued, accrued_amount),
                    ('settled', books_settled, settled_amount),
                    ('corrected', corrected, correction_amount),
                    ('lines', entitlement, by_lines)
                   ) AS held(problem, expected, found)
             WHERE ABS(COALESCE(expected, 0) - COALESCE(found, 0)) > currency.rounding / 2
          ORDER BY program_id, figure.id, problem
            """,
            readable=readable.subselect(),
        ))
        balances = {balance.id: balance for balance in Balance.browse({row["id"] for row in rows})}
        return [
            {
                "balance_id": row["id"],
                "program": balances[row["id"]].program_id.code,
                "member": balances[row["id"]].member_id.display_name,
                "window": balances[row["id"]]._window_name(),
                "problem": row["problem"],
                "expected": float(row["expected"] or 0),
                "found": float(row["found"] or 0),
            }
            for row in rows
        ]

    @api.model
    def _cron_check(self):
        """Check everything each night; an alert for each programme that does not hold, taken back once it does."""
        # sudo: of all companies, as a scheduled action
        checker = self.sudo()
        by_program = {}
        for row in checker.check():
            program = checker.env["channel.rebate.balance"].browse(row["balance_id"]).program_id
            by_program.setdefault(program, []).append(row)
        Alert = checker.env["channel.alert"]
        Alert._raise_alerts("channel_rebate_identity", [
            {
                "key": f"identity-{program.id}",
                "name": self.env._("Rebates of programme %s do not add up", program.code),
                "severity": "critical",
                "record": program,
                "company": program.company_id,
                "user": program.user_id,
                "note": "\n".join([
                    *(
                        self.env._(
                            "%(member)s, %(window)s: %(problem)s is %(found)s instead of %(expected)s",
                            member=row["member"], window=row["window"], problem=row["problem"],
                            found=f"{row['found']:.2f}", expected=f"{row['expected']:.2f}",
                        )
                        for row in rows[:NAMED]
                    ),
                    *([self.env._("and %s more", len(rows) - NAMED)] if len(rows) > NAMED else []),
                ]),
            }
            for program, rows in by_program.items()
        ])
        # pylint: disable-next=no-search-all  # of programmes, of which a company has some hundreds at most
        sound = checker.env["channel.rebate.program"].with_context(active_test=False).search([]) - (
            checker.env["channel.rebate.program"].union(*by_program)
        )
        Alert._clear_alerts("channel_rebate_identity", [f"identity-{program.id}" for program in sound])
