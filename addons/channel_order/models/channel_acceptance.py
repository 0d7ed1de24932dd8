from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import format_date

OPEN_STATES = ("waiting", "arrived")


class ChannelAcceptance(models.Model):
    """What the receiver says to one delivery: that it arrived, and line by line what is accepted.

    Made by itself when the delivery leaves. Who receives is the member or its end customer: their portal users answer
    with their own rights to read and nothing else. Once answered it stays as it is; what was refused goes on as claims.
    """

    _name = "channel.acceptance"
    _description = "Acceptance of a Delivery"
    _inherit = [
        "channel.acceptance.api.mixin", "channel.portal.files.mixin", "portal.mixin", "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "shipped_at desc, id desc"
    _mail_post_access = "read"
    _check_company_auto = True

    name = fields.Char(string="Number", required=True, readonly=True, copy=False)
    picking_id = fields.Many2one(
        "stock.picking", string="Delivery", required=True, readonly=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="picking_id.company_id", store=True, precompute=True, index=True)
    sale_id = fields.Many2one("sale.order", string="Order", readonly=True, ondelete="restrict", index="btree_not_null")
    member_id = fields.Many2one("res.partner", required=True, readonly=True, ondelete="restrict", index=True)
    end_customer_id = fields.Many2one("res.partner", readonly=True, ondelete="restrict", index="btree_not_null")
    delivery_address_id = fields.Many2one(related="picking_id.partner_id", string="Delivered to")
    shipped_at = fields.Datetime(string="Shipped on", required=True, readonly=True)
    due_date = fields.Date(
        string="Answer by", readonly=True, help="The last day on which the receiver may refuse what was delivered."
    )
    by_silence = fields.Boolean(
        string="Silence Accepts", readonly=True, help="The contract takes no answer until that day for acceptance."
    )
    line_ids = fields.One2many("channel.acceptance.line", "acceptance_id", string="Lines", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Under way"),
            ("arrived", "Arrived"),
            ("accepted", "Accepted"),
            ("differs", "Accepted with differences"),
        ],
        required=True, readonly=True, default="waiting", copy=False, tracking=True, index=True,
    )
    arrived_at = fields.Datetime(string="Arrived on", readonly=True, copy=False)
    arrived_by_id = fields.Many2one("res.users", string="Arrival Confirmed by", readonly=True, copy=False)
    accepted_at = fields.Datetime(string="Accepted on", readonly=True, copy=False)
    accepted_by_id = fields.Many2one("res.users", string="Accepted by", readonly=True, copy=False)
    accepted_from = fields.Char(string="Accepted from", readonly=True, copy=False, help="Network address.")
    signed_by = fields.Char(string="Signed by", readonly=True, copy=False, help="Name of who received the goods.")
    was_silent = fields.Boolean(string="Accepted by Silence", readonly=True, copy=False)
    external_id = fields.Char(string="External Number", readonly=True, copy=False)
    claim_ids = fields.One2many("channel.claim", "acceptance_id", string="Claims", readonly=True)
    claim_count = fields.Integer(string="Number of Claims", compute="_compute_claim_count")
    is_overdue = fields.Boolean(string="Overdue", compute="_compute_is_overdue", search="_search_is_overdue")

    _picking_once = models.UniqueIndex("(picking_id)", "This delivery has its acceptance already.")
    _external_once = models.UniqueIndex(
        "(member_id, external_id) WHERE external_id IS NOT NULL", "This acceptance was sent already."
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "due_date")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for acceptance in self:
            acceptance.is_overdue = bool(
                acceptance.state in OPEN_STATES and acceptance.due_date and acceptance.due_date < today
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = [
            ("state", "in", OPEN_STATES), ("due_date", "!=", False),
            ("due_date", "<", fields.Date.context_today(self)),
        ]
        if set(value) == {True}:
            return late
        return ["!", "&", "&", *late] if set(value) == {False} else []

    @api.depends("claim_ids")
    def _compute_claim_count(self):
        for acceptance in self:
            acceptance.claim_count = len(acceptance.claim_ids)

    def _compute_access_url(self):
        super()._compute_access_url()
        for acceptance in self:
            acceptance.access_url = f"/my/channel/acceptances/{acceptance.id}"

    # === CRUD === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        for acceptance in self:
            raise UserError(self.env._("%s is evidence of a delivery: it stays.", acceptance.name))

    # === ACTIONS === #

    def action_arrive(self):
        """The goods have arrived; what is in the boxes is still to be looked at."""
        self._for_answer()._arrive()
        return True

    def action_accept_all(self):
        """Accept everything as it was delivered, in the name of the receiver."""
        for acceptance in self._for_answer():
            acceptance._accept({}, self.env.user.name)
        return True

    def action_view_picking(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "stock.picking", "view_mode": "form",
            "res_id": self.picking_id.id,
        }

    # === BUSINESS METHODS === #

    def _take(self):
        """Nobody else answers meanwhile: of two answers at once the second is told."""
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(self.env._(
                "%s is being answered by somebody else right now: open it again.", ", ".join(self.mapped("name"))
            )) from error

    def _arrive(self):
        """Needs superuser rights where the receiver answers; the caller has checked whose it is."""
        for acceptance in self:
            acceptance._take()
            if acceptance.state != "waiting":
                raise UserError(self.env._("%s has arrived already.", acceptance.name))
            acceptance.write({
                "state": "arrived", "arrived_at": fields.Datetime.now(), "arrived_by_id": self.env.uid,
            })

    def _accept(self, answers, signed_by, address=None, silent=False, external_id=None):
        """Take the receiver's answer for all lines. As :meth:`_arrive`.

        :param dict answers: ``{line id: values}`` of ``channel.acceptance.line``; a line that is not named is accepted
            as it was delivered
        :param str signed_by: name of who received the goods
        """
        self.ensure_one()
        self._take()
        if self.state not in OPEN_STATES:
            raise UserError(self.env._(
                "%(name)s was accepted on %(date)s: it stays as it is. Raise a claim about what was found since.",
                name=self.name, date=format_date(self.env, self.accepted_at),
            ))
        if not (signed_by or "").strip():
            raise UserError(self.env._("Name: say who received the goods."))
        for line in self.line_ids:
            line.write({"accepted_quantity": line.quantity, **answers.get(line.id, {})})
            line._check_answer()
        now = fields.Datetime.now()
        differs = any(line._differs() for line in self.line_ids)
        self.write({
            "state": "differs" if differs else "accepted", "accepted_at": now, "accepted_by_id": self.env.uid,
            "accepted_from": address, "signed_by": signed_by.strip(), "was_silent": silent, "external_id": external_id,
            **({} if self.arrived_at else {"arrived_at": now, "arrived_by_id": self.env.uid}),
        })
        self.env["channel.audit.entry"]._record(
            "acceptance.answered", self,
            after={self.id: {
                "state": self.state, "signed_by": self.signed_by, "silent": silent, "address": address,
                "differences": [line._difference_json() for line in self.line_ids if line._differs()],
            }},
        )
        self.env["channel.alert"]._clear_alerts("channel_acceptance", [self._alert_key()])
        if differs:
            self._claim_differences()
            owner = self.sale_id.user_id or self.create_uid
            self.activity_schedule(
                "mail.mail_activity_data_todo", user_id=owner.id,
                summary=self.env._("%(member)s refused goods of %(name)s", member=self.member_id.name, name=self.name),
            )

    def _claim_differences(self):
        """What was refused waits as a claim for its decision."""
        refused = self.line_ids.filtered(lambda line: line.uom_id.compare(line.refused_quantity, 0) > 0)
        if refused:
            # sudo: receivers do not write claims; it says what they have just signed
            self.env["channel.claim"].sudo().create({
                "kind": "difference", "acceptance_id": self.id,
                "line_ids": [
                    fields.Command.create({
                        "acceptance_line_id": line.id, "quantity": line.refused_quantity, "reason": line.reason,
                        "note": line.note,
                    })
                    for line in refused
                ],
            })

    def action_claim(self):
        """Open a return of what was accepted."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Claim"), "res_model": "channel.claim",
            "view_mode": "form", "context": {"default_acceptance_id": self.id, "default_kind": "return"},
        }

    def action_view_claims(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_order.channel_claim_action"),
            "domain": [("acceptance_id", "=", self.id)], "context": {},
        }

    def _alert_key(self):
        return f"overdue-{self.id}"

    @api.model
    def _cron_due(self):
        """What nobody answered by its day is accepted where the contract says so; else somebody is told."""
        # sudo: of all companies, as a scheduled action
        overdue = self.sudo().search([("is_overdue", "=", True)], order="id")
        silent = overdue.filtered("by_silence")
        for acceptance in silent:
            acceptance._accept({}, self.env._("By silence, as agreed in the contract"), silent=True)
        self.env["channel.alert"]._raise_alerts("channel_acceptance", [
            {
                "key": acceptance._alert_key(),
                "name": self.env._(
                    "%(member)s has not answered delivery %(delivery)s by %(date)s",
                    member=acceptance.member_id.name, delivery=acceptance.picking_id.name,
                    date=format_date(self.env, acceptance.due_date),
                ),
                "severity": "warning", "record": acceptance, "company": acceptance.company_id,
                "user": acceptance.sale_id.user_id,
            }
            for acceptance in overdue - silent
        ])

    # === MAKING === #

    @api.model
    def _make(self, pickings):
        """One acceptance for each delivery to a customer of a member's order. -> the new ones"""
        pickings = pickings.filtered(
            lambda p: p.sale_id.partner_id.commercial_partner_id.channel_role
            and p.location_dest_id.usage == "customer" and p.state == "done"
        )
        # sudo: the warehouse that ships may not read contracts, nor write acceptances
        pickings, terms = pickings.sudo(), self.sudo()._terms(pickings.sudo())
        values = []
        for picking in pickings:
            days, silent = terms[picking.id]
            shipped = picking.date_done or fields.Datetime.now()
            day = fields.Datetime.context_timestamp(self, shipped).date()
            values.append({
                "name": self.env["ir.sequence"].sudo().with_company(picking.company_id).next_by_code(
                    "channel.acceptance"
                ),
                "picking_id": picking.id,
                "sale_id": picking.sale_id.id,
                "member_id": picking.sale_id.partner_id.commercial_partner_id.id,
                "end_customer_id": picking.channel_end_customer_id.id,
                "shipped_at": shipped,
                "due_date": day + timedelta(days=days) if days else False,
                "by_silence": silent,
                "line_ids": [
                    fields.Command.create({
                        "move_line_id": line.id, "product_id": line.product_id.id, "lot_id": line.lot_id.id,
                        "quantity": line.quantity_product_uom,
                    })
                    for line in picking.move_line_ids if line.quantity_product_uom
                ],
            })
        # sudo: as above
        return self.sudo().create([vals for vals in values if vals["line_ids"]])

    def _terms(self, pickings):
        """-> ``{picking id: (days to answer or 0, whether silence accepts)}``, by contract or else by company"""
        asked = {
            picking.id: (
                picking.sale_id.partner_id.commercial_partner_id.id, picking.company_id.id,
                (picking.date_done or fields.Datetime.now()).date(),
            )
            for picking in pickings
        }
        answers = self.env["channel.contract"]._versions_in_force(list(asked.values()))
        result = {}
        for picking, versions in zip(pickings, answers, strict=True):
            version = versions.filtered("has_acceptance_terms")[:1]
            company = picking.company_id
            result[picking.id] = (
                (version.acceptance_days, version.silence_accepts) if version
                else (company.channel_acceptance_days, company.channel_silence_accepts)
            )
        return result
