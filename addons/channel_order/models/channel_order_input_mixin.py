from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from odoo.addons.channel_base.tools import table_file

from ..tools.order_rows import OrderProblem

KEYS = {
    "member_id", "customer_id", "client_order_ref", "tender_reference", "requested_date", "note", "submit", "lines",
}
#: By what a line names its product, the most exact first
NAMES = ("product_id", "default_code", "barcode", "code")
LINE_KEYS = {*NAMES, "quantity", "uom_id", "uom"}
#: Lines of one order
MAX_LINES = 1000


class ChannelOrderInputMixin(models.AbstractModel):
    """What an order of a dealer is given: read, checked and told at once. Part of ``channel.order``.

    The number of queries does not depend on the number of lines.
    """

    _name = "channel.order.input.mixin"
    _description = "Orders of Dealers: Input"

    # === PARTIES === #

    @api.model
    def _is_dealer(self):
        """:return: whether the user is a dealer, who orders for the own company only
        :raise AccessError: neither a dealer nor one of our own people
        """
        user = self.env.user
        if self.env.su or user._is_internal():
            return False
        # sudo: the role of the user's own company
        if user._is_portal() and user.sudo().commercial_partner_id.channel_role:
            return True
        raise AccessError(self.env._("Orders are given by members of the channel and by our own people."))

    def _read_member(self, member_id, dealer, problems):
        own = self.env.user.sudo().commercial_partner_id  # sudo: the user's own company
        if dealer:
            if member_id not in (None, False, own.id):
                raise AccessError(self.env._("member_id: you may order for your own company only."))
            return own
        member = self.env["res.partner"]
        if isinstance(member_id, int) and not isinstance(member_id, bool):
            member = member.search([("id", "=", member_id)]).commercial_partner_id
        if not member.channel_role:
            problems.append(OrderProblem(
                None, "member_id", self.env._("%s is no member of the channel that you may see.", repr(member_id)),
                self.env._("Give the id of the member that buys."),
            ))
        return member

    def _read_customer(self, member, customer_id, dealer, problems):
        partners = self.env["res.partner"]
        if customer_id in (None, False, "", 0):
            return partners
        customer = partners
        if isinstance(customer_id, int) and not isinstance(customer_id, bool):
            if dealer:
                # sudo: dealers may not read hospitals; it is one of those that they may name
                known = self.sudo()._hospitals_domain(member)
                customer = partners.sudo().search(known & Domain("id", "=", customer_id))
            else:
                customer = partners.search([("id", "=", customer_id)])
        if not customer:
            problems.append(OrderProblem(
                None, "customer_id", self.env._("there is no end customer %s for you.", repr(customer_id)),
                self.env._("Choose one of your territory or of your earlier orders, or leave it out."),
            ))
        return customer.commercial_partner_id

    @api.model
    def _hospitals_domain(self, member):
        """The end customers that a dealer may name: of its own orders, and in the territory of its authorizations.

        Needs superuser rights.
        """
        member, company = member.commercial_partner_id, self.env.company
        known = self.env["channel.pricing"]._portal_customers(member)
        hospitals = Domain("is_company", "=", True) & Domain("channel_role", "=", "hospital")
        if not self._needs_authorization(member):
            return hospitals | Domain("id", "in", known.ids)
        Authorization = self.env["channel.authorization"]
        for model in ("channel.authorization", "res.partner", "channel.region"):
            self.env[model].flush_model()
        territory = SQL(
            """(
            SELECT customer.id
              FROM res_partner customer
         LEFT JOIN channel_region region ON region.id = customer.channel_region_id
             WHERE customer.channel_role = 'hospital' AND EXISTS (
                    SELECT FROM channel_authorization a
                     WHERE a.partner_id = %(member)s AND a.company_id = %(company)s AND a.state = 'approved'
                       AND (a.date_to IS NULL OR a.date_to >= %(today)s) AND %(territory)s)
            )""",
            member=member.id,
            company=company.id,
            today=company._channel_today(),
            territory=Authorization._territory_sql(SQL("a"), SQL("customer"), SQL("region")),
        )
        return (hospitals & Domain("id", "in", territory)) | Domain("id", "in", known.ids)

    @api.model
    def _needs_authorization(self, member):
        """:return: whether the gate asks for authorizations of this member in the company"""
        company = self.env.company
        # sudo: which checks a company runs is asked for, not shown
        checks = self.env["channel.gate.check"].sudo()._severities("order", company)[company.id]
        return "member_authorization" in {check.code for check in checks} and member._channel_needs_authorization()

    # === VALUES === #

    def _read_values(self, values, dealer, problems, authorized=True):
        """Check what ``submit`` and ``check`` are given.

        :param list problems: filled with an :class:`OrderProblem` for everything that is wrong
        :param bool authorized: refuse products for which the member is not authorised
        :return: ``(member, values of the order)``
        """
        if unknown := values.keys() - KEYS:
            problems.append(OrderProblem(
                None, ", ".join(sorted(map(str, unknown))), self.env._("not known."),
                self.env._("Use: %s.", ", ".join(sorted(KEYS))),
            ))
        member = self._read_member(values.get("member_id"), dealer, problems)
        customer = self._read_customer(member, values.get("customer_id"), dealer, problems)
        vals = {
            "partner_id": member.id,
            "company_id": self.env.company.id,
            "channel_end_customer_id": customer.id,
            **self._read_header(values, problems),
        }
        lines = values.get("lines")
        if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
            problems.append(OrderProblem(
                None, "lines", self.env._("there are none."),
                self.env._("Give a list of {product_id or default_code or barcode, quantity} with at least one."),
            ))
            lines = []
        elif len(lines) > MAX_LINES:
            problems.append(OrderProblem(
                None, "lines", self.env._("there are %s.", len(lines)),
                self.env._("An order takes at most %s lines: split it.", MAX_LINES),
            ))
            lines = []
        found = self._read_lines(lines, member, customer, dealer, problems, authorized) if member else []
        vals["order_line"] = [Command.create(line) for line in found if line]
        return member, vals

    def _read_header(self, values, problems):
        """:return: values of the order's own fields, those that are given"""
        vals = {}
        for key, name, size in (
            ("client_order_ref", "client_order_ref", 64),
            ("tender_reference", "channel_tender_reference", 128),
            ("note", "channel_dealer_note", 2000),
        ):
            if key not in values:
                continue
            text = values[key]
            if text not in (None, False) and not isinstance(text, (str, int)):
                problems.append(OrderProblem(
                    None, key, self.env._("%s is no text.", repr(text)), self.env._("Give a text.")
                ))
                continue
            text = str(text or "").strip()
            if len(text) > size:
                problems.append(OrderProblem(
                    None, key, self.env._("it has %s characters.", len(text)),
                    self.env._("Shorten it to %s.", size),
                ))
            vals[name] = text or False
        if "requested_date" in values:
            vals["commitment_date"] = self._read_requested_date(values["requested_date"], problems)
        return vals

    def _read_requested_date(self, value, problems):
        """:return: noon of the day where the company is, in UTC"""
        if value in (None, False, ""):
            return False
        try:
            if isinstance(value, bool) or not isinstance(value, str) or len(value) != 10:
                raise ValueError(value)
            day = fields.Date.to_date(value)
        except (TypeError, ValueError):
            problems.append(OrderProblem(
                None, "requested_date", self.env._("%s is not a day.", repr(value)),
                self.env._("Write it as 2026-03-31."),
            ))
            return False
        company = self.env.company
        if day < company._channel_today():
            problems.append(OrderProblem(
                None, "requested_date", self.env._("%s is over.", value), self.env._("Give a later day.")
            ))
            return False
        return self.env["channel.pricing"]._moment(day, company)

    # === LINES === #

    def _read_lines(self, lines, member, customer, dealer, problems, authorized=True):
        """Check lines as ``submit`` takes them.

        :return: for each of them the values of an order line, or None when something is wrong with it
        """
        # sudo: dealers name products by what the catalogue told them; only ids are taken over
        book = self.sudo(dealer or self.env.su)
        candidates = book._find_products(lines)
        pool = self.env["product.product"].sudo(dealer or self.env.su).union(*candidates[0].values())
        allowed = pool
        if authorized and pool:
            # sudo: as the catalogue does, which tells a dealer no more than what the own company may buy
            allowed = book.sudo().env["channel.pricing"]._book_products(
                member, customer, fields.Datetime.now(), product_ids=pool.ids
            )
        result = []
        for index, line in enumerate(lines):
            before = len(problems)
            if unknown := line.keys() - LINE_KEYS:
                problems.append(OrderProblem(
                    index, ", ".join(sorted(map(str, unknown))), self.env._("not known."),
                    self.env._("Use: %s.", ", ".join(sorted(LINE_KEYS))),
                ))
            product, uom = self._read_product(line, index, candidates, problems)
            if product and product.id not in allowed.ids:
                field = next(name for name in NAMES if line.get(name))
                problems.append(OrderProblem(
                    index, field,
                    self.env._(
                        "%(product)s: your company is not authorised for it for %(customer)s.",
                        product=product.display_name, customer=customer.name,
                    ) if customer else self.env._(
                        "%s: your company is not authorised for it.", product.display_name
                    ),
                    self.env._("Leave it out, or ask us for an authorization."),
                ))
            quantity = self._read_quantity(line, index, problems)
            if product:
                uom = self._read_uom(line, index, product, uom, problems)
            if product and uom and quantity:
                self._read_packs(index, product, quantity, uom, problems)
            result.append(
                {"product_id": product.id, "product_uom_qty": quantity, "product_uom_id": uom.id}
                if len(problems) == before else None
            )
        return result

    def _find_products(self, lines):
        """The products that lines may mean, in three queries.

        :return: ``({(name, folded text or id): products}, {barcode: unit of the pack it stands on})``
        """
        texts = {
            str(line[name]).strip() for line in lines for name in NAMES[1:] if line.get(name) not in (None, False, "")
        }
        ids = [
            line["product_id"] for line in lines
            if isinstance(line.get("product_id"), int) and not isinstance(line["product_id"], bool)
        ]
        spellings = list({spelling for text in texts for spelling in (text, text.upper(), text.lower())})
        packs = self.env["product.uom"].sudo().search([("barcode", "in", spellings)]) if spellings else ()
        products = self.env["product.product"].search(
            Domain("sale_ok", "=", True) & Domain("type", "!=", "combo")
            & Domain("company_id", "in", [False, self.env.company.id])
            & (
                Domain("id", "in", [*ids, *(pack.product_id.id for pack in packs)])
                | Domain("default_code", "in", spellings) | Domain("barcode", "in", spellings)
            )
        )
        found = {}

        def note(name, text, product):
            key = name, text.casefold() if isinstance(text, str) else text
            # Read together, however each is found
            found[key] = (found.get(key, products.browse()) | product).with_prefetch(products.ids)

        for product in products:
            note("product_id", product.id, product)
            for name in ("default_code", "barcode"):
                if product[name]:
                    note(name, product[name], product)
        known = set(products.ids)
        units = {}
        for pack in packs:
            if pack.product_id.id in known:
                note("barcode", pack.barcode, products.browse(pack.product_id.id))
                units[pack.barcode.casefold()] = pack.uom_id
        return found, units

    def _read_product(self, line, index, candidates, problems):
        found, units = candidates
        products, nothing = self.env["product.product"], self.env["uom.uom"]
        name = next((name for name in NAMES if line.get(name) not in (None, False, "")), None)
        if not name:
            problems.append(OrderProblem(
                index, "product_id", self.env._("no product is named."),
                self.env._("Give its code, barcode or product_id."),
            ))
            return products, nothing
        value = line[name]
        folded = value if name == "product_id" else str(value).strip().casefold()
        if isinstance(folded, bool) or (name == "product_id" and not isinstance(folded, int)):
            product = products
        elif name == "code":
            product = found.get(("default_code", folded)) or found.get(("barcode", folded)) or products
        else:
            product = found.get((name, folded)) or products
        if len(product) > 1:
            problems.append(OrderProblem(
                index, name, self.env._("%s stands for several products.", repr(value)),
                self.env._("Look it up in the catalogue and add it there."),
            ))
            return products, nothing
        if not product:
            problems.append(OrderProblem(
                index, name, self.env._("there is no product %s.", repr(value)),
                self.env._("Check the code, or look the product up in the catalogue."),
            ))
            return products, nothing
        return product, units.get(folded, nothing) if name in ("barcode", "code") else nothing

    def _read_quantity(self, line, index, problems):
        """:return: a number above 0, or 0.0 when there is none"""
        value = line.get("quantity")
        try:
            number = table_file.to_number(value)
        except ValueError:
            problems.append(OrderProblem(
                index, "quantity", self.env._("%s is not a plain number.", repr(value)),
                self.env._("Write it in digits, without separators of thousands."),
            ))
            return 0.0
        if number is None:
            problems.append(OrderProblem(
                index, "quantity", self.env._("it is missing."), self.env._("Say how much of it is wanted.")
            ))
            return 0.0
        if not 0 < number < 1e9:
            problems.append(OrderProblem(
                index, "quantity", self.env._("%s cannot be ordered.", repr(value)),
                self.env._("Give a number above 0."),
            ))
            return 0.0
        return number

    def _read_uom(self, line, index, product, uom, problems):
        """:return: the unit in which the product is ordered: the one that is named, of the barcode, or its own"""
        units = product.uom_id | product.uom_ids
        value = line.get("uom_id") or line.get("uom")
        if value in (None, False, ""):
            # Who scans a pack means packs
            return uom if uom in units else product.uom_id
        if line.get("uom_id"):
            chosen = units.filtered(lambda unit: unit.id == value)
        else:
            folded = str(value).strip().casefold()
            chosen = units.filtered(lambda unit: unit.name.casefold() == folded)[:1]
        if not chosen:
            problems.append(OrderProblem(
                index, "uom_id" if line.get("uom_id") else "uom",
                self.env._(
                    "%(product)s is not sold in %(value)s.", product=product.display_name, value=repr(value)
                ),
                self.env._("Use one of: %s.", ", ".join(units.mapped("name"))),
            ))
        return chosen

    def _read_packs(self, index, product, quantity, uom, problems):
        """Whole packs only, where the product says so."""
        pack = product.channel_pack_uom_id
        size = product.product_tmpl_id._channel_pack_quantity()
        if not size:
            return
        count = uom._compute_quantity(quantity, product.uom_id, round=False) / size
        if abs(count - round(count)) < 1e-6 and round(count):
            return
        each = uom._compute_quantity(1.0, product.uom_id, round=False)
        choices = [f"{uom.round(whole * size / each):g}" for whole in (int(count), int(count) + 1) if whole]
        problems.append(OrderProblem(
            index, "quantity",
            self.env._(
                "%(product)s is sold in whole packs (%(pack)s), and %(quantity)s %(uom)s is not a number of them.",
                product=product.display_name, pack=pack.name, quantity=f"{quantity:g}", uom=uom.name,
            ),
            self.env._("Order %(quantity)s %(uom)s.", quantity=self.env._(" or ").join(choices), uom=uom.name),
        ))
