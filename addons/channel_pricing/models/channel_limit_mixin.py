from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.tools.private_key import PrivateKey

#: Writes the last day of an approved limit.
_ENDING = PrivateKey("channel_limit_ending")


class ChannelLimitMixin(models.AbstractModel):
    """A bound that prices are held against: for products x segments, between dates, approved by somebody else.

    An approved limit does not change. A new one that was made from it (:meth:`action_revise`) takes its place on its
    own first day; :meth:`action_end` ends one early. So what held on a day in the past stays answerable.
    """

    _name = "channel.limit.mixin"
    _description = "Approved Limit of Prices"
    _inherit = ["channel.scope.mixin", "channel.approval.mixin"]
    _rec_name = "number"
    _order = "sequence, id desc"

    #: Code of the ``ir.sequence`` that numbers the limits.
    _limit_sequence = None
    #: Decision of ``channel.price.decision`` by which one is ended early.
    _limit_ending = None

    number = fields.Char(readonly=True, copy=False, index="trigram")
    company_id = fields.Many2one(default=lambda self: self.env.company)
    date_from = fields.Date(default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(tracking=True)
    product_tmpl_id = fields.Many2one(
        "product.template",
        string="Product",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="Only this product. Empty: all that the filter below finds.",
    )
    ended_on = fields.Date(readonly=True, copy=False, tracking=True, help="The last day in force.")
    note = fields.Text()
    status = fields.Selection(
        [
            ("draft", "Draft"),
            ("future", "Not yet in force"),
            ("valid", "In force"),
            ("ended", "Ended"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_status",
        search="_search_status",
        help="As of today.",
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "date_from", "date_to", "ended_on", "company_id")
    def _compute_status(self):
        for limit in self:
            today = (limit.company_id or self.env.company)._channel_today()
            ends = [day for day in (limit.date_to, limit.ended_on) if day]
            if limit.state != "approved":
                limit.status = limit.state
            elif ends and min(ends) < today:
                limit.status = "ended"
            elif limit.date_from and limit.date_from > today:
                limit.status = "future"
            else:
                limit.status = "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = self.env.company._channel_today()
        approved = Domain("state", "=", "approved")
        ended = (Domain("date_to", "!=", False) & Domain("date_to", "<", today)) | (
            Domain("ended_on", "!=", False) & Domain("ended_on", "<", today)
        )
        later = Domain("date_from", ">", today)
        domains = {
            "draft": Domain("state", "=", "draft"),
            "cancelled": Domain("state", "=", "cancelled"),
            "ended": approved & ended,
            "future": approved & later & ~ended,
            "valid": approved & ~later & ~ended,
        }
        return Domain.OR(domains[status] for status in value if status in domains)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: who may enter a limit may use up a number of the sequence.
        sequence = self.env["ir.sequence"].sudo()
        code = self._limit_sequence
        return super().create(
            [{**vals, "number": vals.get("number") or sequence.next_by_code(code)} for vals in vals_list]
        )

    def write(self, vals):
        trusted = _ENDING.opens(self)
        self = _ENDING.close(self)
        if {"ended_on", "number"} & vals.keys() and not trusted:
            raise AccessError(
                self.env._("The number and the end of an approved limit are not edited: use End, or revise the limit.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_held(self):
        """What was approved once stays, also when it was cancelled later: documents were judged by it."""
        for limit in self:
            if limit.approved_at:
                raise UserError(self.env._("%s has been in force and is kept as evidence: end it.", limit.display_name))

    # === ACTION METHODS === #

    def action_revise(self):
        """Open a draft that takes the place of this limit on its own first day, once it is approved.

        :return: the action that opens it
        """
        self.ensure_one()
        if self.state != "approved":
            raise UserError(self.env._("%s is not approved: edit it as it is.", self.display_name))
        today = (self.company_id or self.env.company)._channel_today()
        draft = self.copy({"previous_id": self.id, "date_from": max(today, self.date_from or today)})
        return draft._get_records_action()

    def action_end(self, date=None, reason=None):
        """End approved limits before their time. Those who may edit limits.

        :param date: the last day in force, ISO text or ``date``; today in the company's time zone when left out
        :param str reason: why, for the journal; without it the wizard that asks for it is returned
        :raise UserError: a limit is not approved, or ends before that day already
        """
        if not reason:
            return self.env["channel.price.decision"]._open(self, self._limit_ending)
        self.check_access("write")
        date = fields.Date.to_date(date)
        for limit in self:
            limit._end(date or (limit.company_id or self.env.company)._channel_today(), reason)
        return True

    # === APPROVAL === #

    def _approval_terms(self):
        return [
            "company_id", "product_tmpl_id", "product_domain", "segment_ids", "sequence", "date_from", "date_to",
            "previous_id",
        ]

    def _approval_done(self):
        super()._approval_done()
        for limit in self:
            previous = limit.previous_id
            last = limit.date_from and fields.Date.subtract(limit.date_from, days=1)
            if previous.state == "approved" and last and (not previous.ended_on or previous.ended_on > last):
                previous._end(last, self.env._("Followed by %s", limit.number))

    def _approval_before(self):
        super()._approval_before()
        for limit in self:
            if limit.previous_id and not limit.date_from:
                raise UserError(
                    self.env._(
                        "From: %(limit)s takes the place of %(previous)s: say from which day.",
                        limit=limit.number,
                        previous=limit.previous_id.number,
                    )
                )

    # === BUSINESS METHODS === #

    def _end(self, last_day, reason):
        self.ensure_one()
        ends = [day for day in (self.date_to, self.ended_on) if day]
        if self.state != "approved" or (ends and min(ends) < last_day):
            raise UserError(
                self.env._(
                    "%(limit)s cannot end on %(date)s: only what is approved ends, and only earlier than it does.",
                    limit=self.display_name,
                    date=last_day,
                )
            )
        before = {"last_day": min(ends).isoformat() if ends else None}
        _ENDING.open(self).write({"ended_on": last_day})
        self.env["channel.audit.entry"]._record(
            "price_limit.ended", self, reason=reason, before=before, after={"last_day": last_day.isoformat()}
        )

    @api.model
    def _limits_of(self, questions, partition):
        """The limits that hold, in a number of queries that does not depend on the number of questions.

        Where several of one partition hold, the smallest sequence wins, then one of a product before one of a filter,
        then the older one.

        :param list questions: dicts ``{member_id, customer_id, product_id, date, company_id}``
        :param str partition: name of a column; of each of its values one limit is found
        :return: list in the order of the questions of ``{value of the column: limit}``, with superuser rights
        """
        found = [{} for _question in questions]
        if not questions:
            return found
        # sudo: limits bind whoever orders; what may be said about them is up to the caller
        limits = self.sudo()
        products = limits.env["product.product"].browse({question["product_id"] for question in questions})
        dates = [question["date"] for question in questions]
        limits = limits.search(
            Domain("state", "=", "approved")
            & Domain("product_tmpl_id", "in", [False, *products.product_tmpl_id.ids])
            & (Domain("date_from", "=", False) | Domain("date_from", "<=", max(dates)))
            & (Domain("date_to", "=", False) | Domain("date_to", ">=", min(dates)))
            & (Domain("ended_on", "=", False) | Domain("ended_on", ">=", min(dates)))
        )
        if not limits:
            return found
        limits.flush_recordset(["product_tmpl_id", "ended_on", partition])
        self.env["product.product"].flush_model(["product_tmpl_id"])
        asked = SQL(
            """(SELECT *
                  FROM unnest(%s::int[], %s::int[], %s::int[], %s::date[], %s::int[]) WITH ORDINALITY
                    AS asked(member_id, customer_id, product_id, date, company_id, line_id))""",
            [question["member_id"] or None for question in questions],
            [question["customer_id"] or None for question in questions],
            [question["product_id"] or None for question in questions],
            dates,
            [question["company_id"] or None for question in questions],
        )
        for line_id, value, limit_id in self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (asked.line_id, held.%(partition)s)
                       asked.line_id, held.%(partition)s, held.id
                  FROM %(asked)s asked
                  JOIN %(matched)s matched ON matched.line_id = asked.line_id
                  JOIN %(table)s held ON held.id = matched.scope_id
             LEFT JOIN product_product product ON product.id = asked.product_id
                 WHERE (held.product_tmpl_id IS NULL OR held.product_tmpl_id = product.product_tmpl_id)
                   AND (held.ended_on IS NULL OR held.ended_on >= asked.date)
              ORDER BY asked.line_id, held.%(partition)s, held.sequence, held.product_tmpl_id IS NULL, held.id
                """,
                asked=asked,
                matched=limits._match_sql(asked),
                table=SQL.identifier(self._table),
                partition=SQL.identifier(partition),
            )
        ):
            found[line_id - 1][value] = limits.browse(limit_id).with_prefetch(limits._prefetch_ids)
        return found
