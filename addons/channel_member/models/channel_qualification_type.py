import importlib
import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

VALIDATOR_PARAM_PATTERN = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")


class ChannelQualificationType(models.Model):
    """Kind of document that a member must or may hold: a licence, a filing, an identifier.

    What the law of a country asks for is data: who (``role_ids``, ``country_id``), for which devices
    (``device_class_*``), in which form (``number_format``, ``validator``) and for how long.

    Validators
        ``validator`` names a method ``_validate_<validator>(self, number)`` of this model. It gets the number
        without surrounding blanks, runs on one type, and returns
        ``{"valid": bool, "reason": False or code, "parsed": dict}``. ``reason`` is one of the codes of
        :meth:`_validation_reasons`, which an add-on extends together with its validators. ``parsed`` holds plain
        JSON values and at least ``number``, the number in its canonical spelling.
    """

    _name = "channel.qualification.type"
    _description = "Qualification Type"
    _order = "sequence, code, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False, help="Used by the API and by data: lower case, unique.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    description = fields.Text(translate=True)
    law = fields.Char(
        string="Legal Basis", translate=True, help="Article that asks for the document; quoted by gate findings."
    )

    # Who must hold it, and for what
    country_id = fields.Many2one("res.country", help="Only members of this country; empty for every country.")
    role_ids = fields.Many2many(
        "ir.model.fields.selection",
        "channel_qualification_type_role_rel",
        "type_id",
        "selection_id",
        string="Roles",
        domain="[('field_id.model', '=', 'res.partner'), ('field_id.name', '=', 'channel_role')]",
        help="Roles of members that it concerns; empty for every role.",
    )
    device_class_i = fields.Boolean(string="Class I")
    device_class_ii = fields.Boolean(string="Class II")
    device_class_iii = fields.Boolean(
        string="Class III", help="With no class ticked, the document is needed for devices of every class."
    )
    mandatory = fields.Boolean(help="A member to whom it applies may not trade the devices it covers without it.")
    severity = fields.Selection(
        [("block", "Block"), ("warn", "Warn")],
        default="block",
        required=True,
        help="What the gate does when a mandatory document is not in force.",
    )

    # Scope of business
    has_scope = fields.Boolean(
        string="Limited Scope", help="The document lists the device categories that the holder may trade."
    )
    scope_scheme = fields.Char(
        string="Catalogues", help="Catalogues whose categories may stand in the scope, comma separated; empty for all."
    )

    # Form of the number
    number_format = fields.Char(
        help="Regular expression that the whole number must match. Named groups are returned as its parts."
    )
    validator = fields.Selection(selection="_selection_validator", help="Program that checks the number further.")
    validator_param = fields.Char(
        help="For the validator 'stdnum': module of python-stdnum, for example ean or cn.uscc."
    )

    # Validity
    validity_months = fields.Integer(help="Usual time of validity, proposed as expiry date; 0 for no expiry.")
    renewal_window_days = fields.Integer(
        string="Renewal Opens (days)", help="Days before the expiry from which a renewal may be requested."
    )
    renewal_deadline_days = fields.Integer(
        string="Renewal Closes (days)", help="Days before the expiry after which a request for renewal comes too late."
    )
    renewal_day_kind = fields.Selection(
        [("calendar", "Calendar days"), ("working", "Working days")],
        default="calendar",
        required=True,
        help="Working days are counted by the working hours and public holidays of the company.",
    )

    _code_uniq = models.Constraint("unique(code)", "The code of a qualification type must be unique.")
    _days_positive = models.Constraint(
        "CHECK(validity_months >= 0 AND renewal_deadline_days >= 0 AND renewal_window_days >= renewal_deadline_days)",
        "Months and days cannot be negative, and the renewal window cannot open after it closes.",
    )

    #=== COMPUTE METHODS ===#

    @api.model
    def _selection_validator(self):
        """Every method ``_validate_<key>`` is a validator: an add-on registers one by writing it."""
        prefix = "_validate_"
        keys = sorted(
            name.removeprefix(prefix) for name in dir(type(self)) if name.startswith(prefix)
            and not hasattr(models.BaseModel, name)
        )
        return [(key, key) for key in keys]

    #=== CONSTRAINT METHODS ===#

    @api.constrains("number_format")
    def _check_number_format(self):
        for qualification_type in self:
            try:
                re.compile(qualification_type.number_format or "")
            except re.error as error:
                raise ValidationError(self.env._(
                    "Number format of %(type)s is not a regular expression: %(error)s",
                    type=qualification_type.name,
                    error=error,
                )) from None

    @api.constrains("validator", "validator_param", "number_format")
    def _check_validator(self):
        for qualification_type in self:
            if qualification_type.validator == "stdnum" and not qualification_type._stdnum_module():
                raise ValidationError(self.env._(
                    "Validator parameter %(param)s of %(type)s is not a module of python-stdnum; "
                    "write for example ean or cn.uscc.",
                    param=qualification_type.validator_param or "",
                    type=qualification_type.name,
                ))
            if qualification_type.validator == "regex" and not qualification_type.number_format:
                raise ValidationError(self.env._(
                    "%s is validated by its number format: fill it in.", qualification_type.name
                ))

    #=== BUSINESS METHODS ===#

    @api.model
    @api.readonly
    def validate(self, code, number):
        """Check a number of a kind of document.

        :param str code: code of a qualification type, for example ``gln`` or ``eu_srn``
        :param str number: the number as written on the document
        :return: ``{"valid": bool, "reason": str or False, "parsed": dict}``. ``reason`` is a code (``empty``,
            ``format``, ``length``, ``component``, ``check_digit``, or one of a country's add-on), False when valid.
            ``parsed`` holds the parts that the number tells, ``number`` among them: its canonical spelling; it is
            empty when the number is not valid.
        :raise UserError: no active type has this code; the message lists the known ones
        """
        # Types carry no secret and are the same for everybody: portal users and members' systems ask too.
        types = self.sudo().search([("code", "=", code)], limit=1)
        if not types:
            # pylint: disable-next=no-search-all  # a dozen of types, and the user is to see them all
            known = ", ".join(self.sudo().search([]).mapped("code"))
            raise UserError(self.env._(
                "There is no qualification type with code %(code)s. Known codes: %(known)s", code=code, known=known
            ))
        return types._validate(number)

    def _validate(self, number):
        """Check ``number`` against the format and the validator of this type.

        :return: as :meth:`validate`
        """
        self.ensure_one()
        number = str(number or "").strip()
        if not number:
            return self._invalid("empty")
        parsed = {"number": number}
        for validator in filter(None, (self.validator, self.number_format and "regex")):
            # The format is that of the canonical spelling, which the validator before it makes.
            result = getattr(self, f"_validate_{validator}")(parsed["number"])
            if not result["valid"]:
                return result
            parsed.update(result["parsed"])
        return {"valid": True, "reason": False, "parsed": parsed}

    def _validate_regex(self, number):
        """The whole number matches ``number_format``; its named groups are the parts."""
        match = re.fullmatch(self.number_format, number)
        if not match:
            return self._invalid("format")
        return self._valid(number, **match.groupdict())

    def _validate_stdnum(self, number):
        """The module ``validator_param`` of python-stdnum accepts the number."""
        from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidLength, ValidationError as StdnumError

        try:
            return self._valid(self._stdnum_module().validate(number))
        except InvalidChecksum:
            return self._invalid("check_digit")
        except InvalidLength:
            return self._invalid("length")
        except InvalidComponent:
            return self._invalid("component")
        except StdnumError:
            return self._invalid("format")

    def _validation_message(self, result):
        """Sentence for a person about a result of :meth:`validate`, or False when it is valid."""
        if result["valid"]:
            return False
        return self._validation_reasons().get(result["reason"], result["reason"])

    #=== HOOKS ===#

    def _validation_reasons(self):
        """``{code: sentence}`` of the reasons that validators give."""
        return {
            "empty": self.env._("The number is empty."),
            "format": self.env._("The number is not written as this kind of document writes it."),
            "length": self.env._("The number has the wrong length."),
            "component": self.env._("A part of the number (place, date or kind) does not exist."),
            "check_digit": self.env._("The check digit does not fit: a character is mistyped."),
        }

    #=== TOOLING ===#

    @api.model
    def _valid(self, number, **parts):
        return {"valid": True, "reason": False, "parsed": {"number": number, **parts}}

    @api.model
    def _invalid(self, reason):
        return {"valid": False, "reason": reason, "parsed": {}}

    def _scope_schemes(self):
        """Codes of the catalogues that a scope of this type may use; empty for any."""
        return {scheme.strip() for scheme in (self.scope_scheme or "").split(",") if scheme.strip()}

    def _stdnum_module(self):
        """The module of python-stdnum that ``validator_param`` names, or None."""
        if not VALIDATOR_PARAM_PATTERN.match(self.validator_param or ""):
            return None
        try:
            module = importlib.import_module(f"stdnum.{self.validator_param}")
        except ImportError:
            return None
        return module if callable(getattr(module, "validate", None)) else None

    @api.model
    def _applies_sql(self, qualification_type, member, device_class):
        """SQL condition: a type applies to a member and a device class.

        :param SQL qualification_type: alias of ``channel_qualification_type``
        :param SQL member: alias of ``res_partner``, a commercial partner
        :param SQL device_class: expression, one of ``I``, ``II``, ``III``; None for any class
        """
        of_class = SQL("TRUE") if device_class is None else SQL(
            """(
                NOT (
                    COALESCE(%(type)s.device_class_i, FALSE)
                    OR COALESCE(%(type)s.device_class_ii, FALSE)
                    OR COALESCE(%(type)s.device_class_iii, FALSE)
                )
                OR CASE %(device_class)s
                    WHEN 'I' THEN %(type)s.device_class_i
                    WHEN 'II' THEN %(type)s.device_class_ii
                    WHEN 'III' THEN %(type)s.device_class_iii
                END
            )""",
            type=qualification_type,
            device_class=device_class,
        )
        return SQL(
            """(
                %(type)s.active
                AND (%(type)s.country_id IS NULL OR %(type)s.country_id = %(member)s.country_id)
                AND (
                    NOT EXISTS (SELECT FROM channel_qualification_type_role_rel rel WHERE rel.type_id = %(type)s.id)
                    OR EXISTS (
                        SELECT FROM channel_qualification_type_role_rel rel
                        JOIN ir_model_fields_selection role ON role.id = rel.selection_id
                        WHERE rel.type_id = %(type)s.id AND role.value = %(member)s.channel_role
                    )
                )
                AND %(of_class)s
            )""",
            type=qualification_type,
            member=member,
            of_class=of_class,
        )
