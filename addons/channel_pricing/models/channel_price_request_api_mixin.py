from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL

#: Keys of the values that :meth:`submit` takes, and of each of its lines
KEYS = {
    "member_id", "customer_id", "date_from", "date_to", "purpose", "competitor", "reason", "currency", "lines",
    "submit",
}
LINE_KEYS = {"product_id", "product_code", "quantity", "price", "competitor_price"}


class ChannelPriceRequestApiMixin(models.AbstractModel):
    """The ways in from outside: ``submit`` and ``status`` for programs, ``_portal_submit`` for the portal's form.

    Inherited by ``channel.price.request``. A dealer asks for its own company and sees its own requests; what is told
    to a dealer never depends on floors, costs or limits.
    """

    _name = "channel.price.request.api.mixin"
    _description = "Special Price Requests by Portal and Interface"

    # === INTERFACE ===#

    @api.model
    def submit(self, values, external_id=None):
        """Ask for special prices.

        Idempotent by ``external_id``: sent again for the same member, it changes nothing and answers what became of it.

        :param dict values: ``member_id`` (a dealer may leave it out: its own company), ``customer_id`` (the hospital),
            ``date_from``, ``date_to`` (ISO dates; today when the first is left out), ``purpose`` (``competition``,
            ``tender``, ``volume``, ``clearance``, ``other``), ``competitor``, ``reason``, ``currency`` (code; refused
            when it is not that of the member's price table), ``submit`` (default True; False leaves a draft),
            ``lines``: list of ``{product_id or product_code, quantity, price, competitor_price}``; quantity and prices
            are per the product's own unit of measure, prices net, like those of the price table
        :param str external_id: number of the request in the calling system
        :return: as :meth:`status`
        :raise ValidationError: values that cannot be taken over, all of them with field, value and remedy; nothing is
            stored then
        :raise AccessError: a dealer who asks for another company, or a user who may not ask for special prices
        """
        values = dict(values or {})
        portal = self._is_for_dealers()
        if not portal:
            self.browse().check_access("create")
        problems = []
        member = self._read_member(values, portal, problems)
        if external_id and member:
            external_id = str(external_id)[:64]
            known = self._known(member, external_id)
            if known:
                return known._status()
        vals = self._read_values(values, member, portal, problems)
        if problems:
            raise ValidationError("\n".join(problems))
        request = self._make({**vals, "source": "portal" if portal else "api", "external_id": external_id}, portal)
        if values.get("submit", True):
            request._submit()
        return request._status()

    @api.model
    @api.readonly
    def status(self, reference):
        """What became of a request.

        :param str reference: the reference that :meth:`submit` returned, or the external number
        :return: ``{"reference", "external_id", "state", "member_id", "customer_id", "date_from", "date_to", "ended_on",
            "currency", "decision_reason", "lines": [{"product_id", "product_code", "quantity", "price", "used",
            "remaining"}]}``; ``state`` is ``draft``, ``submitted``, ``approved``, ``closed``, ``rejected`` or
            ``cancelled``
        :raise ValidationError: no request that the user may read has this reference
        """
        request = self.search(["|", ("name", "=", reference), ("external_id", "=", reference)], limit=1)
        if not request:
            raise ValidationError(
                self.env._(
                    "reference: there is no special price request %r. Give the reference that submit() returned.",
                    reference,
                )
            )
        return request._status()

    def _status(self):
        self.ensure_one()
        # sudo: names of products, for dealers; the request itself may be read, as its callers have checked
        request = self.sudo()
        return {
            "reference": request.name,
            "external_id": request.external_id or None,
            "state": request.state,
            "member_id": request.member_id.id,
            "customer_id": request.customer_id.id or None,
            "date_from": request.date_from.isoformat(),
            "date_to": request.date_to.isoformat(),
            "ended_on": request.ended_on.isoformat() if request.ended_on else None,
            "currency": request.currency_id.name,
            "decision_reason": request.decision_reason or None,
            "lines": [
                {
                    "product_id": line.product_id.id,
                    "product_code": line.product_id.default_code or None,
                    "quantity": line.quantity,
                    "price": line.price,
                    "used": line.used_quantity,
                    "remaining": line.remaining_quantity,
                }
                for line in request.line_ids
            ],
        }

    # === TAKING OVER ===#

    def _is_for_dealers(self):
        """:return: whether the user is a dealer, who asks for the own company only"""
        user = self.env.user
        if self.env.su or user._is_internal():
            return False
        # sudo: the role of the user's own company
        if user._is_portal() and user.sudo().commercial_partner_id.channel_role:
            return True
        raise AccessError(self.env._("Special prices are asked for by members of the channel and by our own people."))

    def _known(self, member, external_id):
        """The request that a member's system has sent already by this number."""
        # Two calls at once: the second waits for the first one's end and then finds what it made.
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtext('channel.price.request'), hashtext(%s))",
                f"{member.id} {external_id}",
            )
        )
        # sudo: the number is taken, whoever took it; what it says is read with the user's rights
        known = self.sudo().search(
            [
                ("external_id", "=", external_id),
                ("member_id", "=", member.id),
                ("company_id", "=", self.env.company.id),
            ]
        )
        known = known.with_env(self.env)
        known.check_access("read")
        return known

    def _make(self, vals, portal):
        # sudo: dealers have no right to write; their company comes from the session, and the values were checked.
        requests = self.sudo() if portal else self
        return requests._make_own(vals).with_env(self.env)

    def _read_values(self, values, member, portal, problems):
        """Check what :meth:`submit` is given.

        :param list problems: filled with sentences about everything that is wrong
        :return: values to create a request
        """
        if unknown := values.keys() - KEYS:
            problems.append(
                self.env._(
                    "%(unknown)s: not known. Use: %(known)s.",
                    unknown=", ".join(sorted(unknown)),
                    known=", ".join(sorted(KEYS)),
                )
            )
        customer = self._read_partner(values, "customer_id", portal, problems)
        if customer and customer.channel_role != "hospital":
            problems.append(
                self.env._("customer_id: %s is not a hospital. Give the end customer, or leave it out.", customer.id)
            )
        today = self.env.company._channel_today()
        date_from = self._read_date(values, "date_from", today, problems)
        date_to = self._read_date(values, "date_to", None, problems)
        if date_from and date_to and date_to < max(date_from, today):
            problems.append(
                self.env._("date_to: %s lies before date_from or is over. Give a later day.", values["date_to"])
            )
        purposes = [key for key, _label in self._fields["purpose"].selection]
        purpose = values.get("purpose") or "competition"
        if purpose not in purposes:
            problems.append(
                self.env._(
                    "purpose: %(value)s is not known. Use one of: %(known)s.",
                    value=repr(purpose),
                    known=", ".join(purposes),
                )
            )
        reason = str(values.get("reason") or "").strip()
        if not reason:
            problems.append(self.env._("reason: it is empty. Say why the price is asked for."))
        lines = self._read_lines(values.get("lines"), portal, problems)
        vals = {
            "member_id": member.id,
            "customer_id": customer.id,
            "company_id": self.env.company.id,
            # sudo: who looks after the member is told what becomes of it
            "user_id": member.sudo().user_id.id if portal else self.env.uid,
            "date_from": date_from,
            "date_to": date_to,
            "purpose": purpose,
            "competitor": str(values.get("competitor") or "")[:256] or False,
            "reason": reason,
            "line_ids": [Command.create(line) for line in lines],
        }
        if not problems:
            self._read_currency(values.get("currency"), vals, problems)
        return vals

    def _read_member(self, values, portal, problems):
        own = self.env.user.sudo().commercial_partner_id  # sudo: the user's own company
        if portal:
            if values.get("member_id") not in (None, False, own.id):
                raise AccessError(self.env._("member_id: you may ask for special prices of your own company only."))
            return own
        member = self._read_partner(values, "member_id", portal, problems)
        if not member and not problems:
            problems.append(self.env._("member_id: it is missing. Give the id of the member that buys."))
        elif member and not member.channel_role:
            problems.append(
                self.env._("member_id: %s is not a member of the channel. Give it a role first.", member.id)
            )
        return member

    def _read_partner(self, values, key, portal, problems):
        partners = self.env["res.partner"]
        value = values.get(key)
        if value in (None, False):
            return partners
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(
                self.env._("%(key)s: expected the id of a partner, got %(value)s.", key=key, value=repr(value))
            )
            return partners
        # sudo: dealers name hospitals that they may not read; nothing but the id is taken over. Own people see members
        # and hospitals by their rules.
        partners = partners.sudo() if portal else partners
        partner = partners.search([("id", "=", value)])
        if not partner:
            problems.append(self.env._("%(key)s: there is no partner %(value)s.", key=key, value=value))
        return partner.commercial_partner_id

    def _read_date(self, values, key, default, problems):
        value = values.get(key) or default
        if not value:
            problems.append(self.env._("%s: it is missing. Give a day, for instance 2026-03-31.", key))
            return None
        try:
            return fields.Date.to_date(value)
        except (TypeError, ValueError):
            problems.append(
                self.env._("%(key)s: %(value)s is not a day (2026-03-31).", key=key, value=repr(value))
            )
            return None

    def _read_lines(self, lines, portal, problems):
        if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
            problems.append(self.env._("lines: expected a list of {product_id, quantity, price} with at least one."))
            return []
        # sudo: dealers name products by what their price list or catalogue told them; only the id is taken over
        products = self.env["product.product"].sudo(portal or self.env.su).search(
            [
                ("sale_ok", "=", True),
                ("company_id", "in", [False, self.env.company.id]),
                "|",
                ("id", "in", [line["product_id"] for line in lines if isinstance(line.get("product_id"), int)]),
                ("default_code", "in", [line["product_code"] for line in lines if line.get("product_code")]),
            ]
        )
        by_id, by_code = {product.id: product for product in products}, products.grouped("default_code")
        result, seen = [], set()
        for index, line in enumerate(lines):
            if unknown := line.keys() - LINE_KEYS:
                problems.append(
                    self.env._(
                        "lines[%(index)s].%(unknown)s: not known. Use: %(known)s.",
                        index=index,
                        unknown=", ".join(sorted(unknown)),
                        known=", ".join(sorted(LINE_KEYS)),
                    )
                )
            product = by_id.get(line.get("product_id")) or by_code.get(line.get("product_code")) or products.browse()
            if len(product) != 1 or product in seen:
                problems.append(
                    self.env._(
                        "lines[%(index)s]: %(value)s names no product that is sold, several, or one that another line "
                        "names. Give the product_id of one product for each line.",
                        index=index,
                        value=repr(line.get("product_id") or line.get("product_code")),
                    )
                )
                continue
            seen.add(product)
            result.append(
                {
                    "product_id": product.id,
                    "quantity": self._read_number(line, index, "quantity", problems, above=True),
                    "price": self._read_number(line, index, "price", problems),
                    "competitor_price": self._read_number(line, index, "competitor_price", problems, required=False),
                }
            )
        return result

    def _read_number(self, line, index, key, problems, above=False, required=True):
        value = line.get(key)
        if value is None and not required:
            return 0.0
        good = isinstance(value, int | float) and not isinstance(value, bool) and value < float("inf")
        if not good or value < 0 or (above and value == 0):
            problems.append(
                self.env._(
                    "lines[%(index)s].%(key)s: %(value)s is not a number %(bound)s.",
                    index=index,
                    key=key,
                    value=repr(value),
                    bound=self.env._("above 0") if above else self.env._("of 0 or more"),
                )
            )
            return 0.0
        return float(value)

    def _read_currency(self, currency, vals, problems):
        """A price in another currency than the table's would be another price."""
        if not currency:
            return
        # sudo: which currency a table is in is no secret
        expected = self.sudo().new({key: vals[key] for key in ("member_id", "company_id", "date_from")}).currency_id
        if currency != expected.name:
            problems.append(
                self.env._(
                    "currency: %(value)s is not the currency of the member's price table, which is %(expected)s. "
                    "Give the prices in %(expected)s.",
                    value=repr(currency),
                    expected=expected.name,
                )
            )
