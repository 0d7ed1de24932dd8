from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

#: Who may answer in the name of the receiver
ANSWERS = ("channel_base.group_channel_sales", "channel_base.group_channel_manager")
KEYS = {"line_id", "accepted", "reason", "intact", "temperature", "lot", "note"}


class ChannelAcceptanceApiMixin(models.AbstractModel):
    """The public methods of acceptances. Inherited by ``channel.acceptance``."""

    _name = "channel.acceptance.api.mixin"
    _description = "Acceptance: API"

    @api.model
    @api.readonly
    def pending(self):
        """Deliveries that the user may answer.

        :return: list of dicts as :meth:`status`, the oldest first
        """
        return [
            acceptance._status()
            for acceptance in self.search([("state", "in", ("waiting", "arrived"))], order="shipped_at, id")
        ]

    @api.readonly
    def status(self):
        """What a delivery holds and what was said to it.

        :return: dict ``id``, ``reference``, ``delivery``, ``order``, ``state`` (``waiting``, ``arrived``, ``accepted``,
            ``differs``), ``shipped_at``, ``answer_by`` (ISO, or None), ``silence_accepts``, ``signed_by`` and
            ``lines``: list of dicts ``line_id``, ``product_id``, ``product``, ``code``, ``lot``, ``expiry``,
            ``delivered``, ``accepted``, ``uom``, ``reason``
        """
        self.ensure_one()
        self.check_access("read")
        return self._status()

    def arrive(self):
        """The goods have arrived. -> as :meth:`status`

        :raise UserError: it has arrived already
        """
        self.ensure_one()
        self._for_answer()._arrive()
        return self._status()

    def accept(self, lines=None, signed_by=None, external_id=None):
        """Accept a delivery, line by line.

        Idempotent by ``external_id``: sent again it changes nothing and answers what was said.

        :param list lines: dicts ``line_id``, and of ``accepted`` (in the product's unit), ``reason`` (``short``,
            ``over``, ``damaged``, ``wrong_product``, ``wrong_lot``, ``near_expiry``, ``temperature``, ``document``,
            ``other``), ``intact`` (bool), ``temperature`` (°C), ``lot`` (as read on the label), ``note``; lines that
            are not named are accepted as delivered
        :param str signed_by: who received the goods; the user's name if not given
        :param str external_id: number of the acceptance in the calling system
        :return: as :meth:`status`
        :raise ValidationError: values that cannot be taken over, all of them; nothing is stored then
        :raise UserError: it was accepted already
        """
        self.ensure_one()
        external_id = str(external_id)[:64] if external_id else None
        acceptance = self._for_answer()
        acceptance._take()
        if external_id and acceptance.external_id == external_id:
            return self._status()
        acceptance._accept(
            self._read_answers(lines or []), signed_by or self.env.user.name, external_id=external_id
        )
        return self._status()

    @api.readonly
    def scan(self, text):
        """Find the line of a scanned code.

        :param str text: a UDI carrier (GS1, HIBC, MA), a barcode, or an internal reference
        :return: dict ``line_id`` (or None), ``lot``, ``expiry`` (as on the label), ``code``: ``found``, ``unknown`` (no
            such product in the delivery), ``wrong_lot`` (the product, with another lot), ``expired``, and ``warnings``
            of ``channel.udi.parse``
        """
        self.ensure_one()
        self.check_access("read")
        # sudo: lines of a delivery that the user reads; products are looked up among them only
        lines = self.sudo().line_ids
        found = self.env["channel.udi"].parse(text)
        names = {name for name in (found["di"], (found["di"] or "").lstrip("0"), text.strip()) if name}
        of_product = lines.filtered(
            lambda line: {line.product_id.barcode, (line.product_id.barcode or "").lstrip("0"),
                          line.product_id.default_code} & names
        )
        label = found["lot"] or found["serial"]
        line = of_product.filtered(lambda line: not label or not line.lot_id or line.lot_id.name == label)[:1]
        expired = found["expiry"] and found["expiry"] < str(fields.Date.context_today(self))
        code = "found" if line else "wrong_lot" if of_product else "unknown"
        return {
            "line_id": (line or of_product)[:1].id or None, "lot": label, "expiry": found["expiry"],
            "code": "expired" if line and expired else code,
            "warnings": found["warnings"] if found["agency"] else [],
        }

    # === TAKING OVER === #

    def _for_answer(self):
        """The acceptances with the rights to answer them, after their reader's right to do so was checked."""
        self.check_access("read")
        user = self.env.user
        if not (user._is_portal() or user._is_superuser() or any(user.has_group(group) for group in ANSWERS)):
            raise AccessError(self.env._(
                "Deliveries are accepted by who receives them, or by Sales or a Manager in their name."
            ))
        # sudo: nobody has the right to write acceptances; it is one that the user reads, and it is only answered
        return self.sudo()

    def _read_answers(self, lines):
        """-> ``{line id: values}``; raises with everything that is wrong"""
        # sudo: lines of an acceptance that the user reads
        known, problems, answers = self.sudo().line_ids, [], {}
        reasons = [key for key, _label in known._fields["reason"].selection]
        for number, line in enumerate(lines, 1):
            if not isinstance(line, dict) or set(line) - KEYS:
                problems.append(self.env._(
                    "Line %(number)s: expected a dict of %(keys)s.", number=number, keys=", ".join(sorted(KEYS))
                ))
                continue
            record = known.filtered(lambda own, line=line: own.id == line.get("line_id"))
            if not record:
                problems.append(self.env._(
                    "Line %(number)s: line_id %(value)r is no line of %(name)s.",
                    number=number, value=line.get("line_id"), name=self.name,
                ))
                continue
            values, about = {}, {"number": number}
            for key, name in (("accepted", "accepted_quantity"), ("temperature", "temperature")):
                value = line.get(key)
                if value is None:
                    continue
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
                    problems.append(self.env._("Line %(number)s: %(key)s %(value)r is no number.", key=key, value=value,
                                               **about))
                    continue
                values[name] = value
            if values.get("accepted_quantity", 0) < 0:
                problems.append(self.env._("Line %(number)s: accepted lies below 0.", **about))
            if "temperature" in values:
                values["has_temperature"] = True
            if line.get("reason"):
                if line["reason"] in reasons:
                    values["reason"] = line["reason"]
                else:
                    problems.append(self.env._(
                        "Line %(number)s: reason %(value)r is not known. Use one of: %(known)s.",
                        value=line["reason"], known=", ".join(reasons), **about,
                    ))
            if line.get("intact") is not None:
                values["is_intact"] = bool(line["intact"])
            values |= {
                name: str(line[key])[:255] for key, name in (("lot", "read_lot"), ("note", "note")) if line.get(key)
            }
            answers[record.id] = values
        if problems:
            raise ValidationError("\n".join(problems))
        return answers

    def _status(self):
        self.ensure_one()
        # sudo: the acceptance may be read, as its callers have checked; the products of its lines go with it
        acceptance = self.sudo()
        return {
            "id": acceptance.id,
            "reference": acceptance.name,
            "delivery": acceptance.picking_id.name,
            "order": acceptance.sale_id.name or None,
            "state": acceptance.state,
            "shipped_at": acceptance.shipped_at.isoformat(),
            "answer_by": acceptance.due_date.isoformat() if acceptance.due_date else None,
            "silence_accepts": acceptance.by_silence,
            "signed_by": acceptance.signed_by or None,
            "lines": [
                {
                    "line_id": line.id, "product_id": line.product_id.id, "product": line.product_id.display_name,
                    "code": line.product_id.default_code or None, "lot": line.lot_id.name or None,
                    "expiry": line.expiry.date().isoformat() if line.expiry else None, "delivered": line.quantity,
                    "accepted": line.accepted_quantity if acceptance.accepted_at else None, "uom": line.uom_id.name,
                    "reason": line.reason or None,
                }
                for line in acceptance.line_ids
            ],
        }
