from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

KINDS = ("dealer", "warehouse", "company")

#: How many dealers the gate is asked about: those in whose territory the end customer lies, in the order of their names
CANDIDATES = 80


class ChannelOrderTransferProposalMixin(models.AbstractModel):
    """To whom an order could go, found by rule, each with its reason in words.

    Dealers are those whose authorization covers the end customer and the products; warehouses those with stock that is
    free; companies of the group those that may sell it to the dealer and have it. What the gate would refuse is not
    proposed. The number of queries does not depend on the number of lines.
    """

    _name = "channel.order.transfer.proposal.mixin"
    _description = "Proposals of an Order Transfer"

    proposal_html = fields.Html(
        string="Proposals", compute="_compute_proposal_html", sanitize=False, groups="base.group_user"
    )

    # === COMPUTE METHODS === #

    @api.depends("order_id", "line_ids.order_line_id", "line_ids.quantity", "state")
    @api.depends_context("uid", "lang")
    def _compute_proposal_html(self):
        for transfer in self:
            # Who sees the transfer from its other side need not see the order
            open_to_user = transfer.state == "draft" and transfer.order_id._origin.has_access("read")
            targets = transfer._propose_targets() if open_to_user and transfer.order_id else []
            kinds = dict(self._fields["kind"]._description_selection(self.env))
            transfer.proposal_html = bool(targets) and Markup("<ul class='mb-0'>%s</ul>") % Markup("").join(
                Markup("<li>%s: <b>%s</b>. %s</li>") % (kinds[target["kind"]], target["name"], target["reason"])
                for target in targets
            )

    def _take_first_proposal(self):
        """Fill the target in, where nothing is chosen yet and a rule has found somebody."""
        self.ensure_one()
        if self._target() or not self.order_id:
            return
        targets = self._propose_targets()
        if targets:
            target = targets[0]
            self.kind = target["kind"]
            self.target_partner_id = target.get("partner_id")
            self.target_warehouse_id = target.get("warehouse_id")
            self.target_company_id = target.get("company_id")

    # === PUBLIC METHODS === #

    @api.model
    @api.readonly
    def propose(self, order_id, kinds=None, lines=None):
        """Say to whom a confirmed order, or part of it, could be transferred. Stores nothing.

        :param int order_id: id of a confirmed ``sale.order``
        :param list kinds: of ``dealer``, ``warehouse``, ``company``; all when left out
        :param list lines: ``[{order_line_id: int, quantity: float}]``, quantity in the unit of the order line;
            everything that is not delivered when left out
        :return: ``[{kind, partner_id | warehouse_id | company_id, name, covered, asked, lines: [{order_line_id,
            quantity, covered}], reason}]``, the best first; covered and asked are numbers of lines
        :raise ValidationError: the input does not make sense; the message names field and value
        :raise AccessError: the user may not read the order, or has no position in the channel
        """
        if not self.env.su and not self.env.user.has_group("channel_base.group_channel_user"):
            raise AccessError(self.env._(
                "Proposing a transfer needs a position in the channel: ask your administrator for one."
            ))
        if isinstance(order_id, bool) or not isinstance(order_id, int):
            raise ValidationError(self.env._("order_id: %s is not an id.", repr(order_id)))
        order = self.env["sale.order"].browse(order_id)
        if not order.exists():
            raise ValidationError(self.env._("order_id: there is no order %s.", order_id))
        order.check_access("read")
        order._channel_check_transferable()
        unknown = [kind for kind in kinds or [] if kind not in KINDS]
        if unknown:
            raise ValidationError(self.env._(
                "kinds: %(value)s is not known. Use: %(known)s.", value=repr(unknown[0]), known=", ".join(KINDS)
            ))
        return self._targets(order, self._input_quantities(order, lines), kinds or KINDS)

    @api.model
    def _input_quantities(self, order, lines):
        available = order.order_line._channel_transferable()
        if lines is None:
            return available
        by_id = {line.id: line for line in available}
        quantities = {}
        for index, asked in enumerate(lines):
            line = by_id.get(asked.get("order_line_id")) if isinstance(asked, dict) else None
            if not line:
                raise ValidationError(self.env._(
                    "lines[%(index)s].order_line_id: %(value)s is no line of order %(order)s with anything left to "
                    "transfer. Lines with something left: %(known)s.",
                    index=index, value=repr(asked.get("order_line_id") if isinstance(asked, dict) else asked),
                    order=order.name, known=", ".join(map(str, by_id)),
                ))
            quantity = asked.get("quantity")
            if isinstance(quantity, bool) or not isinstance(quantity, int | float) or not 0 < quantity:
                raise ValidationError(self.env._(
                    "lines[%(index)s].quantity: %(value)s is not a number above zero.", index=index,
                    value=repr(quantity),
                ))
            if line.product_uom_id.compare(quantity, available[line]) > 0:
                raise ValidationError(self.env._(
                    "lines[%(index)s].quantity: %(value)s is more than the %(available)s that can be transferred.",
                    index=index, value=f"{quantity:g}", available=f"{available[line]:g}",
                ))
            quantities[line] = quantity
        return quantities

    # === RULES === #

    def _propose_targets(self, kinds=KINDS):
        """:return: as :meth:`propose`, for the lines of this transfer as they are now, saved or not"""
        self.ensure_one()
        quantities = {line.order_line_id._origin: line.quantity for line in self.line_ids if line.order_line_id}
        return self._targets(self.order_id._origin, quantities, kinds)

    @api.model
    def _targets(self, order, quantities, kinds):
        if not quantities:
            return []
        targets = []
        for kind in KINDS:
            if kind in kinds:
                targets += sorted(
                    getattr(self, f"_targets_{kind}")(order, quantities),
                    key=lambda target: (-target["covered"], target["name"], target[f"{self._target_key(kind)}"]),
                )
        return targets

    @api.model
    def _target_key(self, kind):
        return "partner_id" if kind == "dealer" else f"{kind}_id"

    @api.model
    def _target_values(self, kind, record, quantities, covered, reason):
        return {
            "kind": kind,
            self._target_key(kind): record.id,
            "name": record.display_name,
            "covered": len(covered),
            "asked": len(quantities),
            "lines": [
                {"order_line_id": line.id, "quantity": quantity, "covered": line in covered}
                for line, quantity in quantities.items()
            ],
            "reason": reason,
        }

    # Dealers

    @api.model
    def _targets_dealer(self, order, quantities):
        company = order.company_id
        customer = order.channel_end_customer_id.commercial_partner_id
        candidates = self._candidate_dealers(order)
        matches = self._authorized(company, customer, [(dealer, quantities) for dealer in candidates])
        holders = [dealer for dealer in candidates if matches[dealer][0]]
        blocked = self._blocked([(company, dealer, quantities) for dealer in holders])
        for dealer in holders:
            covered, authorizations = matches[dealer]
            refused = blocked[company, dealer]
            covered = covered - refused if refused is not None else set()
            if covered:
                reason = self._reason_dealer(customer, quantities, covered, authorizations)
                yield self._target_values("dealer", dealer, quantities, covered, reason)

    def _reason_dealer(self, customer, quantities, covered, authorizations):
        values = {
            "covered": len(covered), "asked": len(quantities),
            "numbers": ", ".join(authorizations.mapped("number")), "customer": customer.display_name,
        }
        if not authorizations:
            return self.env._("Needs no authorization for these products and serves the region.")
        if not customer:
            return self.env._("Authorised for %(covered)s of %(asked)s lines (%(numbers)s).", **values)
        return self.env._(
            "Authorised for %(customer)s and %(covered)s of %(asked)s lines (%(numbers)s).", **values
        )

    @api.model
    def _candidate_dealers(self, order):
        """:return: active members other than the order's, authorised for the place where the goods go; only those whom
        the user may see"""
        company, place = order.company_id, order.channel_end_customer_id or order.partner_id
        region = place.channel_region_id or place.commercial_partner_id.channel_region_id
        territory = Domain("customer_ids", "=", place.commercial_partner_id.id)
        if region:
            territory |= Domain("customer_ids", "=", False) & Domain("region_ids", "parent_of", region.id)
        authorizations = (
            Domain("company_id", "=", company.id) & Domain("status", "in", ["valid", "expiring"]) & territory
        )
        # sudo: who may transfer need not see authorizations; of them only the number is told
        holders = self.env["channel.authorization"].sudo().search(authorizations).partner_id
        return self.env["res.partner"].search(
            [
                ("id", "in", holders.ids), ("id", "!=", order.partner_id.commercial_partner_id.id),
                ("channel_state", "=", "active"), ("company_id", "in", [False, *company.parent_ids.ids]),
            ],
            order="name, id", limit=CANDIDATES,
        )

    @api.model
    def _authorized(self, company, customer, asked):
        """Which lines which members are authorised for. One query.

        :param list asked: pairs ``(member, {line: quantity})``
        :return: ``{member: (set of lines, authorizations)}``
        """
        today = company._channel_today()
        questions = [
            (member, line)
            for member, quantities in asked
            for line in quantities
            if line.product_id.channel_needs_authorization
        ]
        matches = self.env["channel.authorization"]._match_lines([
            {
                "member_id": member.id, "customer_id": customer.id, "product_id": line.product_id.id, "date": today,
                "company_id": company.id,
            }
            for member, line in questions
        ])
        result = {
            member: (
                {line for line in quantities if not line.product_id.channel_needs_authorization},
                # sudo: as above
                self.env["channel.authorization"].sudo(),
            )
            for member, quantities in asked
        }
        for (member, line), match in zip(questions, matches, strict=True):
            if match.covering:
                lines, authorizations = result[member]
                result[member] = (lines | {line}, authorizations | match.covering[:1])
        return result

    @api.model
    def _blocked(self, asked):
        """What the gate would refuse. As many queries as it has checks.

        :param list asked: triples ``(company, member, {line: quantity})``
        :return: ``{(company, member): set of lines, or None when the member as a whole is refused}``
        """
        requests = {
            self._gate_request(company, member, quantities): (company, member) for company, member, quantities in asked
        }
        result = {key: set() for key in requests.values()}
        for finding in self.env["channel.gate"]._run(list(requests)):
            if not finding.blocks:
                continue
            key = requests[finding.request]
            if finding.line is None:
                result[key] = None
            elif result[key] is not None:
                result[key].add(finding.line.record)
        return result

    # Warehouses

    @api.model
    def _targets_warehouse(self, order, quantities):
        warehouses = self.env["stock.warehouse"].search(
            [("company_id", "=", order.company_id.id), ("id", "!=", order.warehouse_id.id)]
        )
        for warehouse in warehouses:
            covered = self._in_stock(warehouse, quantities)
            if covered:
                yield self._target_values("warehouse", warehouse, quantities, covered, self.env._(
                    "Free stock for %(covered)s of %(asked)s lines: %(products)s.",
                    covered=len(covered), asked=len(quantities),
                    products=self._products_text([line for line in quantities if line in covered]),
                ))

    @api.model
    def _in_stock(self, warehouses, quantities):
        """:return: set of storable lines for which these warehouses have enough that nobody has reserved, counted over
        the lines of one product"""
        products = self.env["product.product"].union(*(line.product_id for line in quantities))
        # sudo: who sells need not read stock; only whether there is enough is told
        storable = products.sudo().filtered("is_storable").with_context(warehouse_id=warehouses.ids)
        # Not the field, which keeps what it said before while somebody receives or takes goods
        free = {id_: values["free_qty"] for id_, values in storable._compute_quantities_dict(None, None, None).items()}
        covered = set()
        for line, quantity in quantities.items():
            product = line.product_id
            if product.id not in free:
                continue
            needed = line.product_uom_id._compute_quantity(quantity, product.uom_id, raise_if_failure=False)
            if product.uom_id.compare(needed, free[product.id]) <= 0:
                free[product.id] -= needed
                covered.add(line)
        return covered

    @api.model
    def _products_text(self, lines, shown=5):
        names = list(dict.fromkeys(line.product_id.display_name for line in lines))
        return ", ".join([*names[:shown], *(["…"] if len(names) > shown else [])])

    # Companies

    @api.model
    def _targets_company(self, order, quantities):
        """Companies of the user that may sell it to this dealer, where they have it in stock or it is not stocked."""
        dealer = order.partner_id.commercial_partner_id
        customer = order.channel_end_customer_id.commercial_partner_id
        companies = self.env.user.company_ids - order.company_id
        storable = {line for line in quantities if line.product_id.is_storable}
        blocked = self._blocked([(company, dealer, quantities) for company in companies])
        for company in companies.sorted("name"):
            if blocked[company, dealer] is None:
                continue
            warehouses = self.env["stock.warehouse"].sudo().search([("company_id", "=", company.id)])
            in_stock = self._in_stock(warehouses, quantities) if warehouses else set()
            covered, authorizations = self._authorized(company, customer, [(dealer, quantities)])[dealer]
            covered = covered & (in_stock | (set(quantities) - storable)) - blocked[company, dealer]
            # sudo: which company a product belongs to is asked, of products on an order that the user reads
            owners = {line: line.product_id.sudo().company_id for line in covered}
            covered = {line for line in covered if not owners[line] or owners[line] in company.parent_ids}
            if not covered:
                continue
            values = {
                "covered": len(covered), "asked": len(quantities), "dealer": dealer.display_name,
                "numbers": ", ".join(authorizations.mapped("number")),
                "products": self._products_text([line for line in quantities if line in covered]),
            }
            yield self._target_values("company", company, quantities, covered, self.env._(
                "Has authorised %(dealer)s (%(numbers)s) and can deliver %(covered)s of %(asked)s lines: %(products)s.",
                **values,
            ) if authorizations else self.env._(
                "Can deliver %(covered)s of %(asked)s lines to %(dealer)s: %(products)s.", **values
            ))
