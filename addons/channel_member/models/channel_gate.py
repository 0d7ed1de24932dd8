from odoo import fields, models
from odoo.tools import format_date


class ChannelGate(models.AbstractModel):
    """Checks on who takes part: state, documents, scope of business, authorization.

    They concern members (partners with a channel role). A member is always the commercial partner: what a branch
    or a contact orders, its company answers for. All judge by the date of the document.
    """

    _inherit = "channel.gate"

    #=== CHECKS ===#

    def _check_member_state(self, requests):
        """The member is active."""
        requests = self._of_members(requests)
        periods = self.env["channel.member.period"]._as_of(
            (self._member(request).id, request.date) for request in requests
        )
        for request in requests:
            member = self._member(request)
            period = periods[member.id, request.date]
            if period.state != "active":
                yield request.finding(
                    self._state_message(request, member, period), basis={"state": period.state or None}
                )

    def _state_message(self, request, member, period):
        """What the member was on the document's date, and what it is today where that differs."""
        labels = dict(self.env["res.partner"]._fields["channel_state"]._description_selection(self.env))
        values = {
            "member": member.name,
            "state": labels.get(period.state),
            "today": labels.get(member.channel_state),
            "date": format_date(self.env, request.date),
        }
        if not period.state:
            return self.env._(
                "%(member)s was not a member of the channel on %(date)s; today it is: %(today)s.", **values
            )
        if period.state == member.channel_state:
            return self.env._("%(member)s is not an active member: %(state)s.", **values)
        return self.env._(
            "%(member)s is not an active member on %(date)s: %(state)s; today it is: %(today)s.", **values
        )

    def _check_member_duplicate(self, requests):
        """The member is told apart from every other by its numbers, its bank account, its address, its legal person.

        The other one is named by its code: who orders need not know who else is in the channel.
        """
        requests = self._of_members(requests)
        twins = self.env["channel.member.key"]._twins(
            (self._member(request).id, request.date) for request in requests
        )
        kinds = dict(self.env["channel.member.key"]._fields["kind"]._description_selection(self.env))
        for request in requests:
            for twin in twins.get((self._member(request).id, request.date), ()):
                values = {
                    "member": self._member(request).name,
                    "signs": ", ".join(kinds[kind] for kind in twin.kinds),
                    "code": twin.code or str(twin.partner_id),
                }
                if twin.state == "terminated":
                    message = self.env._(
                        "%(member)s shares with the terminated member %(code)s: %(signs)s. An excluded company may be "
                        "trading under another name.", **values,
                    )
                elif twin.state == "suspended":
                    message = self.env._(
                        "%(member)s shares with the suspended member %(code)s: %(signs)s. A suspended company may be "
                        "trading under another name.", **values,
                    )
                else:
                    message = self.env._("%(member)s shares with member %(code)s: %(signs)s.", **values)
                yield request.finding(
                    message, basis={"member": twin.partner_id, "kinds": list(twin.kinds), "state": twin.state}
                )

    def _check_member_qualification(self, requests):
        """Each mandatory document of severity "block" is in force."""
        return self._qualification_findings(requests, "block")

    def _check_member_qualification_advised(self, requests):
        """Each mandatory document of severity "warn" is in force."""
        return self._qualification_findings(requests, "warn")

    def _check_member_scope(self, requests):
        """Each device lies in the scope of business of a document in force."""
        asks = {
            (line.key, id(request)): self._qualification_ask(request, line) + (line.product._origin.id,)
            for request in self._of_members(requests)
            for line in self._device_lines(request)
        }
        gaps = self.env["channel.qualification"]._scope_gaps(asks.values())
        if not gaps:
            return
        for request in self._of_members(requests):
            for line in self._device_lines(request):
                for qualification_type, qualifications in gaps.get(asks[line.key, id(request)], ()):
                    categories = line.product.channel_category_ids
                    values = {
                        "product": line.product.display_name,
                        "categories": ", ".join(categories.sorted("code").mapped("complete_name")),
                        "type": qualification_type.name,
                        "numbers": ", ".join(qualifications.mapped("number")),
                        "member": self._member(request).name,
                    }
                    yield request.finding(
                        self.env._(
                            "%(type)s %(numbers)s of %(member)s has no scope entered, so that it does not cover "
                            "%(product)s.", **values,
                        )
                        if all(qualification.scope_missing for qualification in qualifications)
                        else self.env._(
                            "%(product)s (%(categories)s) is outside the scope of %(type)s %(numbers)s of %(member)s.",
                            **values,
                        )
                        if categories
                        else self.env._(
                            "%(product)s has no device category, so the scope of %(type)s %(numbers)s of %(member)s "
                            "cannot be checked.", **values,
                        ),
                        line=line,
                        basis={"type": qualification_type.code, "categories": sorted(categories.mapped("code"))},
                    )

    def _check_member_authorization(self, requests):
        """Each product that needs it is authorised for the member, the end customer's territory and the date."""
        questions = [
            (request, line)
            for request in self._of_members(requests)
            if self._member(request)._channel_needs_authorization()
            for line in self._judged_lines(request)
            if line.product.channel_needs_authorization
        ]
        matches = self.env["channel.authorization"]._match_lines([
            {
                "member_id": self._member(request).id,
                "customer_id": request.customer._origin.id if request.customer else False,
                "product_id": line.product._origin.id,
                "date": request.date,
                "company_id": request.company.id,
            }
            for request, line in questions
        ])
        for (request, line), match in zip(questions, matches, strict=True):
            if match.covering:
                continue
            values = {
                "member": self._member(request).name,
                "product": line.product.display_name,
                "customer": request.customer.display_name if request.customer else "",
                "date": format_date(self.env, request.date),
            }
            if match.unsupported:
                yield request.finding(
                    self.env._(
                        "Authorization %(number)s of %(member)s for %(product)s rests on %(above)s, the member above, "
                        "which is not authorised for it on %(date)s.",
                        **values,
                        number=match.unsupported[0].number,
                        above=match.above.name,
                    ),
                    line=line,
                    basis={"reason": "above", "member": match.above.id, "date": fields.Date.to_string(request.date)},
                )
            elif match.elsewhere:
                yield request.finding(
                    self.env._(
                        "Territory breach: %(member)s is authorised for %(product)s, but not for %(customer)s "
                        "(authorization %(numbers)s).",
                        **values,
                        numbers=", ".join(match.elsewhere.mapped("number")),
                    ),
                    line=line,
                    basis={"reason": "territory", "authorizations": sorted(match.elsewhere.ids)},
                )
            elif match.outdated:
                newest = match.outdated[0]
                yield request.finding(
                    self.env._(
                        "Authorization %(number)s of %(member)s for %(product)s is not in force on %(date)s.",
                        **values,
                        number=newest.number,
                    ),
                    line=line,
                    basis={"reason": "period", "date": fields.Date.to_string(request.date)},
                )
            else:
                yield request.finding(
                    self.env._("%(member)s is not authorised for %(product)s.", **values),
                    line=line,
                    basis={"reason": "none"},
                )

    def _check_product_registration(self, requests):
        """Each device is made under a registration certificate that was in force then, and is not cancelled since.

        Delivered goods are judged by the day on which their lot was made, so that goods made while an expired
        certificate was valid stay lawful. Before lots are chosen, an expired certificate is no reason to refuse as
        long as such goods lie in stock: :meth:`_check_product_registration_stock` says so.
        """
        return self._registration_findings(requests, from_stock=False)

    def _check_product_registration_stock(self, requests):
        """The certificate has expired: only goods in stock that were made while it was valid may be delivered."""
        return self._registration_findings(requests, from_stock=True)

    def _check_member_salesperson(self, requests):
        """The salesperson in charge takes the order, and holds a written authority where the company asks for one.

        In charge: where every authorization that covers a line names a salesperson, it is one of them. Orders that a
        portal user has placed without a salesperson are taken by nobody. Asked without an order there is nobody to ask.
        """
        questions = [
            (request, request.record.user_id._origin, line)
            for request in self._of_members(requests)
            if request.record and "user_id" in request.record._fields
            and (request.record.user_id or not request.record.create_uid.share)
            for line in request.lines
            if line.product.channel_needs_authorization
        ]
        asks = [
            {
                "user_id": user.id,
                "member_id": self._member(request).id,
                "customer_id": request.customer._origin.id if request.customer else False,
                "product_id": line.product._origin.id,
                "date": request.date,
                "company_id": request.company.id,
            }
            for request, user, line in questions
        ]
        matches = self.env["channel.authorization"]._match_lines(asks)
        strict = [key for key, (request, _user, _line) in enumerate(questions)
                  if request.company.channel_salesperson_authority]
        lacking = {
            strict[key]
            for key in self.env["channel.salesperson.authority"]._unauthorised([asks[key] for key in strict])
        }
        for key, (request, user, line) in enumerate(questions):
            # Who is in charge is a matter of the authorizations that cover the line, each of which suffices.
            in_charge = matches[key].covering.user_id
            named = matches[key].covering and all(a.user_id for a in matches[key].covering)
            values = {
                "user": user.name or self.env._("Nobody"),
                "product": line.product.display_name,
                "date": format_date(self.env, request.date),
                "in_charge": ", ".join(in_charge.mapped("name")),
                "numbers": ", ".join(matches[key].covering.mapped("number")),
            }
            if named and user not in in_charge:
                yield request.finding(
                    self.env._(
                        "%(user)s is not the salesperson in charge of %(product)s: authorization %(numbers)s names "
                        "%(in_charge)s.", **values,
                    ),
                    line=line,
                    basis={"reason": "charge", "user": user.id or 0, "in_charge": sorted(in_charge.ids)},
                )
            if key in lacking:
                yield request.finding(
                    self.env._(
                        "%(user)s holds no written authority for %(product)s here on %(date)s.", **values,
                    ),
                    line=line,
                    basis={
                        "reason": "authority", "user": user.id or 0, "date": fields.Date.to_string(request.date),
                    },
                )

    #=== TOOLING ===#

    def _registration_findings(self, requests, from_stock):
        asked = [
            (request, line, (
                line.product.product_tmpl_id._origin.id,
                request.company.id,
                request.date,
                line.lot.channel_production_date or None if line.lot else None,
                request.member.country_id._origin.id or None,
            ))
            for request in requests
            for line in self._registered_lines(request)
        ]
        Registration = self.env["channel.registration"]
        gaps = Registration._gaps(ask for _request, _line, ask in asked)
        if not gaps:
            return
        # Lots are chosen later: what counts is whether there are lawful ones.
        open_asks = {
            ask[:3] for _request, line, ask in asked if not line.lot and gaps.get(ask, (None,))[0] == "unknown"
        }
        lawful = Registration._lawful_stock(open_asks)
        for request, line, ask in asked:
            if ask not in gaps:
                continue
            reason, certificate = gaps[ask]
            may_come_from_stock = not line.lot and reason == "unknown" and ask[:3] in lawful
            if may_come_from_stock is not from_stock:
                continue
            message, remedy = self._registration_message(request, line, reason, certificate, from_stock)
            yield request.finding(
                message,
                line=line,
                basis={
                    "reason": "stock" if from_stock else reason,
                    "certificate": certificate.number or None,
                    "made": ask[3] and fields.Date.to_string(ask[3]),
                    "date": fields.Date.to_string(request.date),
                },
                remedy=remedy,
            )

    def _registration_message(self, request, line, reason, certificate, from_stock):
        """:return: ``(message, remedy)`` of a finding; remedy None for that of the check"""
        values = {
            "product": line.product.display_name,
            "lot": line.lot.name if line.lot else "",
            "number": certificate.number,
            "from": format_date(self.env, certificate.valid_from),
            "to": format_date(self.env, certificate.valid_to),
            "date": format_date(self.env, request.date),
        }
        if from_stock:
            return self.env._(
                "Certificate %(number)s of %(product)s expired on %(to)s: only lots made until then may be delivered.",
                **values,
            ), None
        if reason == "none":
            return self.env._("%(product)s has no verified registration certificate.", **values), None
        if reason == "cancelled":
            return self.env._(
                "Certificate %(number)s of %(product)s is cancelled from %(on)s on.", **values,
                on=format_date(self.env, certificate.cancelled_on),
            ), self.env._("Take the product off the document: nothing is sold under a cancelled certificate.")
        if reason == "later":
            return self.env._(
                "Certificate %(number)s of %(product)s starts on %(from)s; the document is of %(date)s.", **values
            ), None
        if reason == "outside":
            return self.env._(
                "Lot %(lot)s of %(product)s was made on %(made)s, when no registration certificate was in force "
                "(%(number)s: %(from)s to %(to)s).", **values,
                made=format_date(self.env, line.lot.channel_production_date),
            ), self.env._("Deliver a lot that was made while a certificate was in force.")
        if line.lot:
            return self.env._(
                "Certificate %(number)s of %(product)s expired on %(to)s and lot %(lot)s has no production date.",
                **values,
            ), self.env._("Enter the production date of lot %(lot)s: made until %(to)s, it may be delivered.", **values)
        return self.env._(
            "Certificate %(number)s of %(product)s expired on %(to)s, and no goods made until then lie in stock.",
            **values,
        ), self.env._(
            "Have the renewed certificate verified, or enter the production dates of the lots in stock."
        )

    def _registered_lines(self, request):
        """Lines whose goods are judged now: at an invoice those that have not been delivered, and so not judged yet."""
        return [
            line for line in self._judged_lines(request) if line.product.channel_device_class not in (False, "none")
        ]

    def _of_members(self, requests):
        """Requests of members; without invoices all of whose goods have left the warehouse."""
        return [
            request
            for request in requests
            if self._member(request).channel_role and (not request.lines or self._judged_lines(request))
        ]

    def _judged_lines(self, request):
        """Lines that are judged now: what an invoice bills and has left the warehouse was judged as it left."""
        return [
            line
            for line in request.lines
            if line.product.uom_id.compare(line.delivered, line.quantity) < 0 or not line.delivered
        ]

    def _member(self, request):
        """The commercial partner as it is in the database: the records of a request may be those of a form."""
        return request.member.commercial_partner_id._origin

    def _device_lines(self, request):
        """Lines with a device whose trade needs a licence or may need one."""
        return [
            line
            for line in self._judged_lines(request)
            if line.product.channel_device_class not in (False, "none") and not line.product.channel_licence_exempt
        ]

    def _qualification_ask(self, request, line):
        return self._member(request).id, request.date, line.product.channel_device_class

    def _qualification_findings(self, requests, severity):
        """One finding for each missing type and request: a licence is missing once, however many lines need it."""
        requests = self._of_members(requests)
        asks = {
            id(request): list(dict.fromkeys(
                self._qualification_ask(request, line) for line in self._device_lines(request)
            ))
            for request in requests
        }
        gaps = self.env["channel.qualification"]._gaps(ask for of_request in asks.values() for ask in of_request)
        if not gaps:
            return
        for request in requests:
            missing = {
                qualification_type: last
                for ask in asks[id(request)]
                for qualification_type, last in gaps.get(ask, ())
                if qualification_type.severity == severity and qualification_type._needed_for(request.operation)
            }
            for qualification_type, last in missing.items():
                yield request.finding(
                    self._qualification_message(request, qualification_type, last),
                    basis={"type": qualification_type.code, "date": fields.Date.to_string(request.date)},
                    remedy=self.env._(
                        "Enter a %(type)s that is in force and have it verified (%(law)s).",
                        type=qualification_type.name,
                        law=qualification_type.law,
                    )
                    if qualification_type.law
                    else None,
                )

    def _qualification_message(self, request, qualification_type, last):
        values = {
            "member": self._member(request).name,
            "type": qualification_type.name,
            "number": last.number,
            "date": format_date(self.env, request.date),
        }
        if not last:
            return self.env._("%(member)s has no verified %(type)s.", **values)
        if last.state == "revoked":
            return self.env._("%(type)s %(number)s of %(member)s is revoked.", **values)
        if last._suspended_on(request.date):
            return self.env._("%(type)s %(number)s of %(member)s is suspended on %(date)s.", **values)
        if last.expiry_date and last.expiry_date < request.date:
            return self.env._(
                "%(type)s %(number)s of %(member)s expired on %(expiry)s; the document is of %(date)s.",
                **values,
                expiry=format_date(self.env, last.expiry_date),
            )
        return self.env._("%(type)s %(number)s of %(member)s is not in force on %(date)s.", **values)
