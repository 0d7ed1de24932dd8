import importlib
import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..tools import medical_numbers

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
        JSON values and at least ``number``, the number in its canonical spelling; besides, where the number tells
        them, ``device_class`` (I, II or III) and ``ivd`` (bool), which certificates of products are compared with.

    Parsers of printed scopes
        ``scope_parser`` names a method ``_parse_scope_<scope_parser>(self, text)`` of this model, see
        :meth:`_parse_scope_codes` for what it returns.
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
    operation_ids = fields.Many2many(
        "channel.gate.operation",
        "channel_qualification_type_operation_rel",
        "type_id",
        "operation_id",
        string="Mandatory For",
        help="Operations that need the document when it is mandatory; empty for all that the gate checks.",
    )
    admission_required = fields.Boolean(
        string="Mandatory at Admission",
        help="Nobody to whom it applies is admitted without it, also where it is not needed to trade.",
    )
    portal_upload = fields.Boolean(
        string="Handed In by Members",
        default=True,
        help="Members see it on the portal and hand it in there. Untick it for identifiers and for what is on record "
        "elsewhere.",
    )

    # Scope of business
    has_scope = fields.Boolean(
        string="Limited Scope", help="The document lists the device categories that the holder may trade."
    )
    scope_scheme = fields.Char(
        string="Catalogues", help="Catalogues whose categories may stand in the scope, comma separated; empty for all."
    )
    scope_required = fields.Boolean(
        help="The law wants the scope on the document: one without any scope line allows nothing. Otherwise it allows "
        "everything.",
    )
    scope_parser = fields.Selection(
        selection="_selection_scope_parser",
        help="Program that reads the printed scope into lines. Empty: categories are chosen by hand.",
    )

    # Certificates of products
    certifies_products = fields.Boolean(
        string="Registers Products",
        help="Kind of certificate that devices themselves need: sold by companies of the country, a device of a class "
        "ticked above is stopped by the gate without it.",
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

    # Keeping
    retention_forever = fields.Boolean(
        string="Keep For Ever", help="What was verified once is never deleted, as the law asks for implants."
    )
    retention_years = fields.Integer(
        string="Keep After Expiry (years)", default=2, help="Years after the expiry during which it is kept."
    )
    retention_years_no_expiry = fields.Integer(
        string="Keep Without Expiry (years)",
        default=5,
        help="Years after its entry, or after it was revoked or replaced, during which a document without an expiry is "
        "kept.",
    )
    retention_law = fields.Char(
        string="Retention Rule",
        translate=True,
        help="Article that asks to keep it; quoted when somebody would delete it.",
    )

    _retention_positive = models.Constraint(
        "CHECK(retention_years >= 0 AND retention_years_no_expiry >= 0)", "Years of keeping cannot be negative."
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
        return self._selection_of_methods("_validate_")

    @api.model
    def _selection_scope_parser(self):
        """Every method ``_parse_scope_<key>`` is a parser, as with validators."""
        return self._selection_of_methods("_parse_scope_")

    @api.model
    def _selection_of_methods(self, prefix):
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

    def _validate_basic_udi_di(self, number):
        """Basic UDI-DI of any issuing agency; its check characters where the agency gives some."""
        return self._parse_medical(medical_numbers.parse_basic_udi_di, number)

    def _validate_us_dea(self, number):
        """Registration number of the US Drug Enforcement Administration."""
        return self._parse_medical(medical_numbers.parse_dea, number)

    def _validate_us_state_licence(self, number):
        """The two letters of a state of the US, then the number as the state writes it."""
        match = re.fullmatch(r"(?P<state>[A-Za-z]{2})[\s:-]+(?P<licence>\w[\w ./-]{1,39})", number)
        if not match:
            return self._invalid("format")
        state = match["state"].upper()
        # sudo: states are no secret, and members' systems ask too.
        states = self.env["res.country.state"].sudo()
        if not states.search_count([("country_id.code", "=", "US"), ("code", "=", state)]):
            return self._invalid("component")
        return self._valid(f"{state} {match['licence']}", state=state, licence=match["licence"])

    @api.model
    def _parse_medical(self, parse, number):
        try:
            parsed = parse(number)
        except medical_numbers.MedicalNumberError as error:
            return self._invalid(error.reason)
        return self._valid(parsed.pop("number"), **parsed)

    @api.model
    @api.readonly
    def parse_scope(self, code, text):
        """Read the scope of business that a kind of document prints.

        :param str code: code of a qualification type
        :param str text: the scope, as printed
        :return: ``{"lines": [...], "rest": [...]}``. A line is ``{device_class, scheme, code, name, ivd, limitation,
            limit_kind, excluded, remark, start, end, text}``: class I, II or III or False; ``code`` False for every
            category; ``ivd`` one of ``with``, ``without``, ``only``; ``excluded`` a list of codes; ``remark`` a note
            for who reviews it, or False. ``rest`` are ``{start, end, text}`` that were not understood. Positions
            count characters of ``text``.
        :raise UserError: no active type has this code
        """
        # sudo: as in validate
        types = self.sudo().search([("code", "=", code)], limit=1)
        if not types:
            raise UserError(self.env._("There is no qualification type with code %s.", code))
        result = types._parse_scope(text)
        return {"lines": result["lines"], "rest": result["rest"]}

    def _parse_scope(self, text):
        """Read a printed scope by the parser of this type.

        A code that no category of the database has is not dropped: its words become a part of the rest.

        :return: ``{"lines": [...], "rest": [...], "values": [...]}``: as :meth:`parse_scope`; ``values`` hold for
            each line the values of a ``channel.qualification.scope``
        """
        self.ensure_one()
        text = text or ""
        if not text.strip():
            return {"lines": [], "rest": [], "values": []}
        parse = getattr(self, f"_parse_scope_{self.scope_parser}") if self.scope_parser else None
        whole = {"start": 0, "end": len(text), "text": text}
        found = parse(text) if parse else {"lines": [], "rest": [whole]}
        codes = {
            (line["scheme"], code)
            for line in found["lines"] for code in (line["code"], *line["excluded"]) if code
        }
        # sudo: catalogues are no secret, and members' systems ask too.
        categories = {
            (category.scheme, category.code): category
            for category in self.env["channel.device.category"].sudo().search([
                ("scheme", "in", list({scheme for scheme, _code in codes})),
                ("code", "in", list({code for _scheme, code in codes})),
            ])
        } if codes else {}
        lines, rest, values = [], list(found["rest"]), []
        for line in found["lines"]:
            wanted = [(line["scheme"], code) for code in (line["code"], *line["excluded"]) if code]
            if not all(key in categories for key in wanted):
                rest.append({name: line[name] for name in ("start", "end", "text")})
                continue
            category = categories.get((line["scheme"], line["code"]))
            lines.append({**line, "name": category.name if category else False})
            values.append({
                "sequence": 10 * len(lines),
                "device_class": line["device_class"],
                "scheme": line["scheme"],
                "category_id": category.id if category else False,
                "excluded_category_ids": [
                    (6, 0, [categories[line["scheme"], code].id for code in line["excluded"]])
                ],
                "ivd": line["ivd"],
                "limitation": line["limitation"],
                "limit_kind": line["limit_kind"],
                "source_text": line["text"],
            })
        rest.sort(key=lambda part: part["start"])
        return {"lines": lines, "rest": rest, "values": values}

    def _parse_scope_codes(self, text):
        """Read a list of codes of the type's catalogues, separated by commas, semicolons, blanks or new lines.

        :return: ``{"lines": [...], "rest": [...]}`` as :meth:`parse_scope`; every character of ``text`` that is
            more than blank or punctuation lies in a line or in the rest
        """
        schemes = self._scope_schemes()
        # sudo: as in _parse_scope
        categories = self.env["channel.device.category"].sudo().search(
            [("scheme", "in", list(schemes))] if schemes else []
        )
        by_code = {}
        for category in categories:
            by_code.setdefault(category.code.casefold(), category)
        lines, rest = [], []
        for match in re.finditer(r"[^\s,;，；、]+", text):
            start, end = match.span()
            part = {"start": start, "end": end, "text": match.group()}
            category = by_code.get(match.group().casefold())
            if not category:
                rest.append(part)
                continue
            lines.append({
                **part, "device_class": False, "scheme": category.scheme, "code": category.code, "ivd": "with",
                "limitation": False, "limit_kind": False, "excluded": [], "remark": False,
            })
        return {"lines": lines, "rest": rest}

    def _needed_for(self, operation):
        """Whether an operation of the gate (its code) asks for this type when it is mandatory."""
        self.ensure_one()
        return not self.operation_ids or operation in self.operation_ids.mapped("code")

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
    def _portal_types(self, member):
        """Types that members hand in on the portal and that apply to ``member``, for whatever class of device."""
        self.flush_model()
        member.flush_recordset(["channel_role", "country_id"])
        rows = self.env.execute_query(SQL(
            """
            SELECT type.id FROM channel_qualification_type type, res_partner member
             WHERE member.id = %s AND type.portal_upload AND %s
          ORDER BY type.sequence, type.code, type.id
            """,
            member.id, self._applies_sql(SQL("type"), SQL("member"), None),
        ))
        return self.browse(row[0] for row in rows)

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
