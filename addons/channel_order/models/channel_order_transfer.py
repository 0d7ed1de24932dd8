from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Command

from odoo.addons.channel_base.tools.gate import GateLine, GateRefusal, GateRequest

#: Kind -> the field with the target
TARGETS = {"dealer": "target_partner_id", "warehouse": "target_warehouse_id", "company": "target_company_id"}

#: Written by the transfer itself
OUTCOME = {"new_order_id", "take_back_reason", "taken_back_by_id", "taken_back_at"}


class ChannelOrderTransfer(models.Model):
    """A confirmed order, or part of it, goes to another dealer, another warehouse, or another company of the group.

    Approved by somebody else than its author, it lowers the order by what is moved and makes a new order of it, so that
    no unit is shipped or invoiced twice: what is delivered, picked or invoiced stays where it is, and the lines are
    locked and counted again at the moment of the approval. The new order is priced and judged for its own party; it is
    confirmed if the gate lets it, and else waits as a quotation that shows what was found. Taken back, what the new
    order has neither delivered nor invoiced returns to the order from which it came.
    """

    _name = "channel.order.transfer"
    _description = "Order Transfer"
    _inherit = [
        "channel.approval.mixin", "channel.gate.document.mixin", "channel.order.transfer.proposal.mixin",
    ]
    _channel_gate_operation = "transfer"
    _order = "date desc, id desc"

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, index="trigram",
        default=lambda self: self.env._("New"),
    )
    date = fields.Date(required=True, default=fields.Date.context_today, copy=False)
    order_id = fields.Many2one(
        "sale.order", required=True, index=True, ondelete="restrict",
        domain="[('state', '=', 'sale'), ('locked', '=', False)]", tracking=True,
        # Its name tells the number of the other side's order
        groups="base.group_user",
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, precompute=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", string="From Dealer", related="order_id.partner_id.commercial_partner_id", store=True,
        precompute=True, index=True,
    )
    end_customer_id = fields.Many2one(
        "res.partner", related="order_id.channel_end_customer_id", groups="base.group_user"
    )
    kind = fields.Selection(
        [("dealer", "Another dealer"), ("warehouse", "Another warehouse"), ("company", "Another company")],
        string="To", required=True, default="dealer", tracking=True,
    )
    target_partner_id = fields.Many2one(
        "res.partner", string="New Dealer", compute="_compute_target_partner_id", store=True, readonly=False,
        precompute=True, index="btree_not_null", ondelete="restrict", tracking=True,
        domain="[('channel_role', '!=', False), ('channel_role', '!=', 'hospital'), ('id', '!=', partner_id)]",
    )
    target_warehouse_id = fields.Many2one(
        "stock.warehouse", string="New Warehouse", compute="_compute_target_warehouse_id", store=True,
        readonly=False, precompute=True, ondelete="restrict", tracking=True,
        domain="[('company_id', '=', company_id)]",
    )
    target_company_id = fields.Many2one(
        "res.company", string="New Company", compute="_compute_target_company_id", store=True, readonly=False,
        precompute=True, index="btree_not_null", ondelete="restrict", tracking=True,
        domain="[('id', '!=', company_id)]",
    )
    reason = fields.Char(required=True, tracking=True, groups="base.group_user", help="Kept in the audit journal.")
    line_ids = fields.One2many("channel.order.transfer.line", "transfer_id", string="Lines", copy=False)
    new_order_id = fields.Many2one(
        "sale.order", readonly=True, copy=False, index="btree_not_null", ondelete="restrict",
        groups="base.group_user",
    )
    state = fields.Selection(
        selection_add=[("approved", "Transferred"), ("returned", "Taken Back"), ("cancelled", "Cancelled")],
        ondelete={"returned": "set default"},
    )
    take_back_reason = fields.Char(readonly=True, copy=False, groups="base.group_user")
    taken_back_by_id = fields.Many2one("res.users", readonly=True, copy=False, groups="base.group_user")
    taken_back_at = fields.Datetime(string="Taken Back on", readonly=True, copy=False)

    # === COMPUTE METHODS === #

    # Only the target of the kind stays: whoever stood in another field would see a transfer that is not theirs. One
    # method for each field, because fields of one method are all left alone when one of them is written.

    @api.depends("kind")
    def _compute_target_partner_id(self):
        self._clear_target("dealer")

    @api.depends("kind")
    def _compute_target_warehouse_id(self):
        self._clear_target("warehouse")

    @api.depends("kind")
    def _compute_target_company_id(self):
        self._clear_target("company")

    def _clear_target(self, kind):
        for transfer in self:
            transfer[TARGETS[kind]] = transfer[TARGETS[kind]] if transfer.kind == kind else False

    # === CONSTRAINT METHODS === #

    @api.constrains("kind", "order_id", "target_partner_id", "target_warehouse_id", "target_company_id")
    def _check_target(self):
        for transfer in self:
            getattr(transfer, f"_check_target_{transfer.kind}")()
            for kind, name in TARGETS.items():
                if kind != transfer.kind and transfer[name]:
                    raise ValidationError(self.env._(
                        "%(field)s: %(value)s has no part in this transfer, which goes to “%(kind)s”. Empty the field, "
                        "or choose another kind.",
                        field=self._fields[name]._description_string(self.env), value=transfer[name].display_name,
                        kind=dict(self._fields["kind"]._description_selection(self.env))[transfer.kind],
                    ))

    def _check_target_dealer(self):
        target = self.target_partner_id
        if not target:
            raise ValidationError(self.env._("New Dealer is empty: choose the dealer who takes the order over."))
        if target.commercial_partner_id == self.partner_id:
            raise ValidationError(self.env._(
                "New Dealer: %s is the dealer of the order already. Choose another one.", target.display_name
            ))
        if not target._channel_needs_authorization():
            raise ValidationError(self.env._(
                "New Dealer: %s is no dealer of the channel. Choose a member with the role of a dealer.",
                target.display_name,
            ))

    def _check_target_warehouse(self):
        target = self.target_warehouse_id
        if not target:
            raise ValidationError(self.env._("New Warehouse is empty: choose the warehouse that delivers."))
        if target == self.order_id.warehouse_id:
            raise ValidationError(self.env._(
                "New Warehouse: %s delivers the order already. Choose another one.", target.display_name
            ))
        if target.company_id != self.company_id:
            raise ValidationError(self.env._(
                "New Warehouse: %(warehouse)s belongs to %(company)s. Choose a warehouse of %(own)s, or transfer to "
                "another company.",
                warehouse=target.display_name, company=target.company_id.name, own=self.company_id.name,
            ))

    def _check_target_company(self):
        target = self.target_company_id
        if not target:
            raise ValidationError(self.env._("New Company is empty: choose the company of the group that delivers."))
        if target == self.company_id:
            raise ValidationError(self.env._(
                "New Company: the order is one of %s already. Choose another one.", target.name
            ))
        for record in (self.order_id.partner_id | self.end_customer_id, self.line_ids.product_id):
            foreign = record.filtered(lambda r: r.company_id and r.company_id not in target.parent_ids)
            if foreign:
                raise ValidationError(self.env._(
                    "New Company: %(record)s can be used by %(owner)s only, and not by %(company)s. Share it between "
                    "the companies (empty its field Company) first.",
                    record=foreign[0].display_name, owner=foreign[0].company_id.name, company=target.name,
                ))

    # === ONCHANGE METHODS === #

    @api.onchange("order_id")
    def _onchange_order_id(self):
        self.line_ids = [Command.clear(), *self._line_commands(self.order_id)]
        self._take_first_proposal()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Without lines given, everything of the order that is not delivered goes over."""
        for vals in vals_list:
            self._check_outcome(vals)
            order = self.env["sale.order"].browse(vals.get("order_id"))
            vals["name"] = self.env["ir.sequence"].with_company(order.company_id).next_by_code(
                "channel.order.transfer"
            )
            if "line_ids" not in vals:
                vals["line_ids"] = self._line_commands(order)
        transfers = super().create(vals_list)
        for transfer in transfers:
            transfer.order_id.check_access("write")
            transfer.order_id._channel_check_transferable()
        return transfers

    def write(self, vals):
        self._check_outcome(vals)
        return super().write(vals)

    @api.model
    def _check_outcome(self, vals):
        if not self.env.su and (OUTCOME & vals.keys() or vals.get("state") == "returned"):
            raise UserError(self.env._(
                "What became of a transfer is written by the transfer itself: press Approve, or Take Back."
            ))

    @api.model
    def _line_commands(self, order):
        return [
            Command.create({"order_line_id": line.id, "quantity": quantity})
            for line, quantity in order.order_line._channel_transferable().items()
        ]

    # === ACTION METHODS === #

    def action_cancel(self):
        """Cancel drafts. What is transferred is taken back."""
        for transfer in self:
            if transfer.state not in ("draft", "cancelled"):
                raise UserError(self.env._(
                    "%s is carried out: use Take Back instead of Cancel.", transfer.display_name
                ))
        self.write({"state": "cancelled"})
        return True

    def action_draft(self):
        """Put cancelled transfers back to draft."""
        self.filtered(lambda transfer: transfer.state == "cancelled").write({"state": "draft"})
        return True

    def action_take_back(self, reason=None):
        """Take transfers back: what their new orders have neither delivered nor invoiced returns. Channel Manager.

        :param str reason: why; without it the wizard that asks for it is returned
        :raise AccessError: the user is no Channel Manager
        :raise UserError: nothing can come back, or the order cannot take it
        """
        if not reason:
            return self.env["channel.order.transfer.decision"]._open(self, "take_back")
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group(self._approval_group):
            raise AccessError(self.env._("Transfers are taken back by Channel Manager."))
        # sudo: the position was checked; the other company need not be one of the user's
        for transfer in self.sudo():
            transfer._take_back(reason)
        return True

    def action_view_order(self):
        self.ensure_one()
        return self.order_id._get_records_action()

    def action_view_new_order(self):
        self.ensure_one()
        return self.new_order_id._get_records_action()

    # === APPROVAL === #

    def _approval_terms(self):
        return [
            "order_id", "kind", "target_partner_id", "target_warehouse_id", "target_company_id", "reason", "line_ids",
            "date",
        ]

    def _approval_audit_values(self):
        return {
            transfer.id: {
                "order": transfer.order_id.name,
                "from": transfer.partner_id.display_name,
                "kind": transfer.kind,
                "to": transfer._target().display_name,
                "reason": transfer.reason,
                "lines": [
                    [line.order_line_id.id, line.product_id.display_name, line.quantity] for line in transfer.line_ids
                ],
            }
            for transfer in self
        }

    def _approval_before(self):
        result = super()._approval_before()
        self._lock_lines(self.line_ids.order_line_id)
        for transfer in self:
            if not transfer.line_ids:
                raise UserError(self.env._("%s transfers nothing: add lines of the order.", transfer.name))
            transfer.order_id._channel_check_transferable()
            transfer._check_target()
        self.line_ids._check_open()
        self.env["channel.gate"]._enforce("transfer", self)
        return result

    def _approval_done(self):
        result = super()._approval_done()
        for transfer in self:
            transfer._carry_out()
        return result

    @api.model
    def _lock_lines(self, lines):
        """Take order lines, and what the warehouse has still to do for them, for this transaction.

        Guarantee: of two transactions that move, deliver or invoice the same line, the later either finds it locked
        (and is told so) or, if the earlier has committed since the later took its snapshot, fails to serialise and is
        retried by Odoo on what is there now.
        """
        self.env.flush_all()
        try:
            lines.lock_for_update()
            lines.invalidate_recordset()
            lines.move_ids.filtered(lambda move: move.state not in ("done", "cancel")).lock_for_update()
        except LockError as error:
            raise UserError(self.env._(
                "Order %s: its lines are being transferred, delivered or invoiced by somebody else right now. Try "
                "again in a moment.",
                ", ".join(lines.order_id.mapped("name")),
            )) from error
        lines.move_ids.invalidate_recordset(["picked", "quantity", "state"])

    # === GATE === #

    def _channel_gate_is_pending(self):
        self.ensure_one()
        return self.state == "draft"

    def _channel_gate_depends(self):
        return [
            "state", "order_id", "kind", "target_partner_id", "target_company_id", "line_ids.order_line_id",
            "line_ids.quantity",
        ]

    def _channel_gate_authors(self):
        return self._approval_authors()

    def _channel_gate_requests(self, operation):
        if operation != self._channel_gate_operation:
            return super()._channel_gate_requests(operation)
        return [
            transfer._gate_request(
                transfer._new_company(),
                transfer._new_partner(),
                {line.order_line_id: line.quantity for line in transfer.line_ids},
                record=transfer,
            )
            for transfer in self
            if transfer.order_id and transfer._target()
        ]

    @api.model
    def _gate_request(self, company, partner, quantities, record=None):
        """:return: ``GateRequest``: may this party take over these quantities of order lines, as of today?"""
        order = next(iter(quantities)).order_id if quantities else record.order_id
        return GateRequest(
            operation="transfer",
            company=company,
            date=company._channel_today(),
            member=partner.commercial_partner_id.sudo(),
            customer=order.channel_end_customer_id.commercial_partner_id,
            lines=[
                GateLine(
                    key=line.id,
                    product=line.product_id,
                    quantity=line.product_uom_id._compute_quantity(
                        quantity, line.product_id.uom_id, round=False, raise_if_failure=False
                    ),
                    record=line,
                )
                for line, quantity in quantities.items()
            ],
            record=record,
        )

    # === BUSINESS METHODS === #

    def _target(self):
        """:return: the record to which it goes; empty while it is not chosen"""
        self.ensure_one()
        return self[TARGETS[self.kind or "dealer"]]

    def _new_partner(self):
        """:return: ``res.partner`` of the new order"""
        self.ensure_one()
        return self.target_partner_id if self.kind == "dealer" else self.order_id.partner_id

    def _new_company(self):
        self.ensure_one()
        return self.target_company_id if self.kind == "company" else self.company_id

    def _carry_out(self):
        """Lower the order and make the new one. First the one, then the other: what a special price, a credit limit or
        the stock allows is counted once."""
        self.ensure_one()
        before = {line: line.order_line_id.product_uom_qty for line in self.line_ids}
        self.line_ids.order_line_id._channel_set_quantities({
            line.order_line_id: line.product_uom_id.round(quantity - line.quantity)
            for line, quantity in before.items()
        })
        order = self._create_order()
        refusal = self._confirm_order(order)
        self.env["channel.audit.entry"]._record(
            "order.transferred", self, reason=self.reason,
            before={"order": self.order_id.name, "lines": [[line.id, quantity] for line, quantity in before.items()]},
            after={
                "order": order.name, "state": order.state,
                "lines": [[line.id, line.order_line_id.product_uom_qty] for line in before],
            },
        )
        self._post_transferred(order, refusal)

    def _create_order(self):
        """:return: the new order, a quotation, linked to the lines from which it came"""
        lines = self.line_ids
        order = self.env["sale.order"].with_company(self._new_company()).create(self._prepare_order_vals())
        for line, new_line in zip(lines, order.order_line, strict=True):
            line.new_line_id = new_line
        self.new_order_id = order
        return order

    def _prepare_order_vals(self):
        source = self.order_id
        vals = {name: source[name] for name in source._channel_transfer_kept_fields()}
        vals = source._convert_to_write(vals)
        if self.kind == "warehouse":
            # The deal is the same: who delivers it is our own matter
            kept = (
                "pricelist_id", "payment_term_id", "fiscal_position_id", "user_id", "team_id", "partner_invoice_id",
                "partner_shipping_id",
            )
            vals.update({name: source[name].id for name in kept}, warehouse_id=self.target_warehouse_id.id)
        elif self.kind == "company":
            vals.update(
                partner_invoice_id=source.partner_invoice_id.id, partner_shipping_id=source.partner_shipping_id.id
            )
        return {
            **vals,
            "partner_id": self._new_partner().id,
            "company_id": self._new_company().id,
            "origin": source.name,
            "channel_transferred_from_id": source.id,
            "order_line": [
                Command.create({**self._prepare_order_line_vals(line), "sequence": number})
                for number, line in enumerate(self.line_ids)
            ],
        }

    def _prepare_order_line_vals(self, line):
        source = line.order_line_id
        vals = {
            "product_id": source.product_id.id,
            "product_uom_id": source.product_uom_id.id,
            "product_uom_qty": line.quantity,
            "channel_transfer_line_id": line.id,
        }
        if self.kind == "warehouse":
            vals.update(price_unit=source.price_unit, discount=source.discount, name=source.name)
        return vals

    def _confirm_order(self, order):
        """Confirm the new order if the gate lets it; else it stays a quotation, with its findings.

        :return: the refusal, or None
        """
        try:
            with self.env.cr.savepoint():
                order.action_confirm()
        except GateRefusal as refusal:
            self.env["channel.gate"]._check_documents("order", order)
            return refusal
        return None

    def _take_back(self, reason):
        """Give back to the order what the new one has neither delivered nor invoiced."""
        self.ensure_one()
        source, new = self.order_id, self.new_order_id
        if self.state != "approved":
            raise UserError(self.env._(
                "%(transfer)s: its state is “%(state)s”, and only what was transferred is taken back.",
                transfer=self.display_name,
                state=dict(self._fields["state"]._description_selection(self.env))[self.state],
            ))
        self._lock_lines(self.line_ids.order_line_id | self.line_ids.new_line_id)
        if source.state != "sale":
            raise UserError(self.env._(
                "Order %(order)s: its state is “%(state)s”, so that nothing can come back to it. Confirm it again "
                "first, or leave the transfer as it is.",
                order=source.name, state=dict(source._fields["state"]._description_selection(self.env))[source.state],
            ))
        (source | new.filtered(lambda order: order.state == "sale"))._channel_check_transferable()
        back = {line: quantity for line in self.line_ids if (quantity := line._can_come_back()) > 0}
        if not back:
            raise UserError(self.env._(
                "%(transfer)s: nothing of order %(order)s can come back, everything is delivered, being delivered, "
                "invoiced or transferred further. Use a return delivery and a credit note instead.",
                transfer=self.display_name, order=new.name,
            ))
        before = {"order": source.name, "lines": [[line.id, line.order_line_id.product_uom_qty] for line in back]}
        self._shrink_order(new, back)
        self.line_ids.order_line_id._channel_set_quantities({
            **{line.order_line_id: line.order_line_id.product_uom_qty for line in self.line_ids},
            **{
                line.order_line_id: line.product_uom_id.round(line.order_line_id.product_uom_qty + quantity)
                for line, quantity in back.items()
            },
        })
        for line, quantity in back.items():
            line.returned_quantity = quantity
        self.write({
            "state": "returned", "take_back_reason": reason, "taken_back_by_id": self.env.uid,
            "taken_back_at": fields.Datetime.now(),
        })
        self.env["channel.audit.entry"]._record(
            "order.transfer_taken_back", self, reason=reason, before=before,
            after={
                "order": new.name, "state": new.state,
                "lines": [[line.id, line.order_line_id.product_uom_qty, quantity] for line, quantity in back.items()],
            },
        )
        self._post_taken_back(reason, back)

    def _shrink_order(self, order, back):
        """Take quantities off the new order; an order of which nothing is left is cancelled."""
        if order.state == "cancel":
            return
        left = {
            line.new_line_id: line.new_line_id.product_uom_id.round(
                line.new_line_id.product_uom_qty
                - line.product_uom_id._compute_quantity(quantity, line.new_line_id.product_uom_id, round=False)
            )
            for line, quantity in back.items()
        }
        passed_on = order.channel_transfer_ids.filtered(lambda transfer: transfer.state == "approved")
        if not passed_on and set(left) == set(order.order_line) and not any(left.values()):
            order._action_cancel()
        else:
            order.order_line.filtered(lambda line: line in left)._channel_set_quantities(left)

    # === MESSAGES === #

    def _message_lines(self, quantities):
        """:param quantities: ``{transfer line: quantity}``. :return: ``Markup`` list of products and quantities"""
        return Markup("<ul>%s</ul>") % Markup("").join(
            Markup("<li>%s: %s %s</li>") % (line.product_id.display_name, f"{quantity:g}", line.product_uom_id.name)
            for line, quantity in quantities.items()
        )

    def _post_transferred(self, order, refusal):
        lines = self._message_lines({line: line.quantity for line in self.line_ids})
        source = self.order_id
        # Notes, which the portal does not show: they name the order of the other side
        source.message_post(subtype_xmlid="mail.mt_note", body=self.env._(
            "Transferred to %(target)s by %(transfer)s as order %(order)s: %(lines)s",
            target=self._target().display_name, transfer=self._get_html_link(), order=order._get_html_link(),
            lines=lines,
        ))
        order.message_post(subtype_xmlid="mail.mt_note", body=self.env._(
            "Transferred from order %(order)s of %(partner)s by %(transfer)s: %(lines)s",
            order=source._get_html_link(), partner=source.partner_id.display_name, transfer=self._get_html_link(),
            lines=lines,
        ))
        if refusal:
            body = self.env._(
                "Order %(order)s could not be confirmed and waits as a quotation: %(refusal)s",
                order=order._get_html_link(), refusal=str(refusal),
            )
            for record in (self, order):
                record.message_post(subtype_xmlid="mail.mt_note", body=body)

    def _post_taken_back(self, reason, back):
        body = self.env._(
            "%(transfer)s was taken back (%(reason)s): %(lines)s", transfer=self._get_html_link(), reason=reason,
            lines=self._message_lines(back),
        )
        for record in (self.order_id, self.new_order_id, self):
            record.message_post(subtype_xmlid="mail.mt_note", body=body)

    # === PORTAL === #

    def _portal_note(self, text):
        lines = [
            (line.product_id.display_name, line._came_over(), line.product_uom_id.name)
            for line in self.line_ids
            if line.product_uom_id.compare(line._came_over(), 0) > 0
        ]
        return {"text": text if lines else self.env._("A transfer of this order was taken back."), "lines": lines}

    def _portal_date(self):
        return self.env["ir.qweb.field.date"].value_to_html(self.approved_at.date(), {})

    def _portal_text_out(self):
        """What the dealer from whom it goes reads."""
        day = self._portal_date()
        if self.kind == "dealer":
            return self.env._(
                "On %(date)s this was transferred to %(dealer)s:", date=day, dealer=self.target_partner_id.name
            )
        if self.kind == "company":
            return self.env._(
                "On %(date)s this was transferred to %(company)s, your order %(order)s there:",
                date=day, company=self.target_company_id.name, order=self.new_order_id.name,
            )
        return self.env._(
            "Since %(date)s this is delivered from another warehouse, with your order %(order)s:",
            date=day, order=self.new_order_id.name,
        )

    def _portal_text_in(self):
        """What the dealer to whom it comes reads."""
        day = self._portal_date()
        if self.kind == "dealer":
            return self.env._(
                "On %(date)s this was transferred to you from %(dealer)s:", date=day, dealer=self.partner_id.name
            )
        return self.env._(
            "On %(date)s this was transferred from your order %(order)s:", date=day, order=self.order_id.name
        )
