import unicodedata

from stdnum.util import get_cc_module

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.mail import email_normalize

from ..tools.admission import DEVICE_CLASSES, TRADING_ROLES
from ..tools.identity import address_key, compared, number_key

#: Days before the expiry from which a document is worth a note, and how much each adds to the risk.
EXPIRY_STEPS = ((30, "document_expires_30"), (90, "document_expires_90"))
#: Kind of ``channel.member.key`` -> code of the finding.
SHARED = {"bank": "shared_bank", "legal_person": "shared_legal_person", "address": "shared_address"}


class ChannelAdmissionCheck(models.AbstractModel):
    """The automatic checks of admissions.

    A check is a method ``_check_<name>(self, admissions)`` of this model, which yields :meth:`_finding` for all
    admissions at once: a fixed number of queries, however many there are. An add-on contributes one by writing it,
    with its codes in :meth:`_rules` and :meth:`_texts`. Checks run with superuser rights and only read.
    """

    _name = "channel.admission.check"
    _description = "Checks of Admissions"

    #=== REGISTRY ===#

    @api.model
    def _rules(self):
        """``{code: (severity, weight, for_applicant)}``. Codes are stable: programs and tests rely on them."""
        return {
            "field_missing": ("block", 10, True),
            "email_invalid": ("block", 10, True),
            "device_class_missing": ("block", 10, True),
            "vat_invalid": ("block", 30, True),
            "vat_region": ("warn", 10, True),
            "document_missing": ("block", 20, True),
            "document_advised": ("warn", 10, True),
            "document_file_missing": ("block", 10, True),
            "document_date_missing": ("block", 10, True),
            "document_number": ("block", 20, True),
            "document_number_vat": ("warn", 25, True),
            "document_future": ("warn", 15, True),
            "document_expired": ("block", 30, True),
            "document_expires_30": ("warn", 20, True),
            "document_expires_90": ("warn", 10, True),
            "document_renewal": ("info", 2, True),
            "document_name": ("warn", 15, True),
            "scope_missing": ("block", 20, True),
            "scope_advised": ("warn", 10, True),
            "scope_unparsed": ("warn", 5, False),
            "scope_class": ("block", 20, True),
            "parent_invalid": ("block", 20, False),
            "duplicate_member": ("warn", 60, False),
            "known_partner": ("info", 0, False),
            "former_member": ("warn", 40, False),
            "shared_bank": ("warn", 25, False),
            "shared_legal_person": ("warn", 20, False),
            "shared_address": ("warn", 10, False),
            "open_admission": ("warn", 15, False),
            "email_taken": ("warn", 10, False),
            "territory_exclusive": ("warn", 30, False),
            "register_mismatch": ("warn", 40, False),
            "register_unknown": ("warn", 40, False),
            "nothing_changed": ("block", 0, True),
            "member_moved": ("warn", 5, False),
        }

    @api.model
    def _texts(self):
        """``{code: (message, remedy)}`` with the parameters as ``%(name)s``; ``type`` is the kind of document."""
        return {
            "field_missing": (self.env._("%(field)s is missing."), self.env._("Fill it in.")),
            "email_invalid": (
                self.env._("“%(value)s” is not an e-mail address."), self.env._("Write it as name@company.com.")
            ),
            "device_class_missing": (
                self.env._("No device class is chosen."),
                self.env._("Choose the classes of the devices that the company is going to trade."),
            ),
            "vat_invalid": (
                self.env._("Identification number %(value)s is not valid in its country (length, parts or check "
                           "digit)."),
                self.env._("Compare it with the licence and correct it."),
            ),
            "vat_region": (
                self.env._("The number %(value)s of %(type)s was given in %(region)s; the address lies in %(place)s."),
                self.env._("Check address and number; a company that has moved keeps its number."),
            ),
            "document_missing": (
                self.env._("%(type)s is missing."), self.env._("Enter its number and add the file.")
            ),
            "document_advised": (
                self.env._("%(type)s is missing; the membership does not depend on it."),
                self.env._("Send it if the company has it."),
            ),
            "document_file_missing": (
                self.env._("%(type)s has no file."), self.env._("Add a copy as PDF or picture.")
            ),
            "document_date_missing": (
                self.env._("%(type)s: the date of issue or expiry is missing."),
                self.env._("Enter the dates as they stand on the document."),
            ),
            "document_number": (
                self.env._("Number %(value)s of %(type)s is not valid: %(reason)s"),
                self.env._("Compare it with the document and correct it."),
            ),
            "document_number_vat": (
                self.env._("%(type)s has the number %(value)s, the company gave %(other)s."),
                self.env._("Both are the identification number of one company: correct the wrong one."),
            ),
            "document_future": (
                self.env._("%(type)s is in force from %(issue_date)s only."),
                self.env._("Send the document that is in force today."),
            ),
            "document_expired": (
                self.env._("%(type)s expired on %(expiry_date)s."), self.env._("Send the renewed document.")
            ),
            "document_expires_30": (
                self.env._("%(type)s expires on %(expiry_date)s, within 30 days."),
                self.env._("Send the renewed document as soon as it is there."),
            ),
            "document_expires_90": (
                self.env._("%(type)s expires on %(expiry_date)s, within 90 days."),
                self.env._("Request its renewal in time."),
            ),
            "document_renewal": (
                self.env._("The renewal of %(type)s may be requested from %(opens_date)s to %(closes_date)s."),
                self.env._("Request it and send the new document."),
            ),
            "document_name": (
                self.env._("%(type)s is made out to “%(value)s”, the application is of “%(other)s”."),
                self.env._("Send the document of the company that applies, or correct the name."),
            ),
            "scope_missing": (
                self.env._("The scope of business of %(type)s is not entered."),
                self.env._("Copy it as it is printed on the document."),
            ),
            "scope_advised": (
                self.env._("The scope of business of %(type)s is not entered: it then counts as unlimited."),
                self.env._("Copy it as it is printed on the document."),
            ),
            "scope_unparsed": (
                self.env._("Parts of the scope of %(type)s were not understood: %(rest)s"),
                self.env._("Read them and complete the scope of the qualification."),
            ),
            "scope_class": (
                self.env._("The scope of %(type)s does not name class %(classes)s."),
                self.env._("Apply for the classes that the document covers, or send one that covers them."),
            ),
            "parent_invalid": (
                self.env._("The parent member %(other)s is not active."), self.env._("Choose another one.")
            ),
            "duplicate_member": (
                self.env._("Another member has the same identification number: %(other)s."),
                self.env._("Link the admission to that member, or reject it."),
            ),
            "known_partner": (
                self.env._("A partner has the same identification number: %(other)s."),
                self.env._("Link the admission to it, so that no second one is made."),
            ),
            "former_member": (
                self.env._("The company was a member and was terminated or suspended: %(other)s."),
                self.env._("Read the reason of that decision before it is admitted again."),
            ),
            "shared_bank": (
                self.env._("The bank account belongs to another member too: %(other)s."),
                self.env._("Ask whether the companies are one and the same."),
            ),
            "shared_legal_person": (
                self.env._("The legal representative is that of another member too: %(other)s."),
                self.env._("Ask whether the companies are one and the same."),
            ),
            "shared_address": (
                self.env._("The address is that of another member too: %(other)s."),
                self.env._("Ask whether the companies are one and the same."),
            ),
            "open_admission": (
                self.env._("Another admission of the same company is open: %(other)s."),
                self.env._("Decide one of them and cancel the other."),
            ),
            "email_taken": (
                self.env._("The e-mail address belongs to a user of another company."),
                self.env._("Ask the applicant for another address: a login belongs to one company."),
            ),
            "territory_exclusive": (
                self.env._("What is asked for is exclusive to another member: %(other)s."),
                self.env._("Leave out the territory or the products, or change the other authorization first."),
            ),
            "register_mismatch": (
                self.env._("%(type)s differs from the register: %(value)s"),
                self.env._("Compare the document with the register of the authority."),
            ),
            "register_unknown": (
                self.env._("%(type)s: the register does not know the number %(value)s."),
                self.env._("Compare the document with the register of the authority."),
            ),
            "nothing_changed": (
                self.env._("Nothing is changed."), self.env._("Correct what has changed, or cancel it.")
            ),
            "member_moved": (
                self.env._("Meanwhile the member's own particulars have changed: %(value)s"),
                self.env._("Look at the differences again: approving writes what is in the admission."),
            ),
        }

    @api.model
    def _run(self, admissions):
        """Run all checks on ``admissions``.

        :return: list of values of ``channel.admission.finding``, in an order that does not depend on that of the
            documents
        """
        prefix = "_check_"
        found = []
        for name in sorted(dir(type(self))):
            if name.startswith(prefix) and not hasattr(models.BaseModel, name):
                found += getattr(self, name)(admissions)
        return sorted(found, key=lambda values: (
            values["admission_id"], values["code"], values["document_id"] or 0, str(values["params"]),
        ))

    @api.model
    def _finding(self, admission, code, document=None, **params):
        """Values of one finding.

        :param params: plain JSON values; a name that ends in ``_date`` is a date (ISO), ``field`` the name of a field
            of the admission, ``reason`` a code of the validator of the document's type
        """
        severity, weight, for_applicant = self._rules()[code]
        return {
            "admission_id": admission.id,
            "document_id": document.id if document else False,
            "code": code,
            "severity": severity,
            "weight": weight,
            "for_applicant": for_applicant,
            "params": params,
        }

    #=== PARTICULARS ===#

    def _check_particulars(self, admissions):
        for admission in admissions:
            for name in admission._required_fields():
                if not admission[name]:
                    yield self._finding(admission, "field_missing", field=name)
            if admission.email and not email_normalize(admission.email):
                yield self._finding(admission, "email_invalid", field="email", value=admission.email)
            if admission.role in TRADING_ROLES and not admission._device_classes():
                yield self._finding(admission, "device_class_missing", field="device_class_ii")
            # As the activation of the member will judge it.
            company = self.env["res.partner"].new({"vat": admission.vat, "country_id": admission.country_id.id})
            if company._channel_vat_problem():
                yield self._finding(admission, "vat_invalid", field="vat", value=admission.vat)
            if admission.parent_id and admission.parent_id.channel_state != "active":
                yield self._finding(admission, "parent_invalid", other=admission.parent_id.display_name)

    #=== DOCUMENTS ===#

    def _check_documents(self, admissions):
        """Each document of the checklist by itself."""
        for admission in admissions:
            today = admission.company_id._channel_today()
            for document in admission.document_ids:
                if not document._is_provided() and document.mandatory and not document._is_filled():
                    blocks = document.type_id.severity == "block"
                    yield self._finding(admission, "document_missing" if blocks else "document_advised", document)
                elif document._is_filled():
                    yield from self._document_findings(admission, document, today)

    @api.model
    def _document_findings(self, admission, document, today):
        qualification_type = document.type_id
        if not document.number:
            yield self._finding(admission, "document_number", document, value="", reason="empty")
        else:
            yield from self._number_findings(admission, document)
        if not document.attachment_ids and not document.qualification_id:
            yield self._finding(admission, "document_file_missing", document)
        if (document.mandatory or qualification_type.has_scope) and (
            not document.issue_date or qualification_type.validity_months and not document.expiry_date
        ):
            yield self._finding(admission, "document_date_missing", document)
        if document.issue_date and document.issue_date > today:
            yield self._finding(
                admission, "document_future", document, issue_date=fields.Date.to_string(document.issue_date)
            )
        yield from self._expiry_findings(admission, document, today)
        name = document.holder_name
        if name and admission.name and self._folded(name) != self._folded(admission.name):
            yield self._finding(admission, "document_name", document, value=name, other=admission.name)
        yield from self._scope_findings(admission, document)

    @api.model
    def _number_findings(self, admission, document):
        result = document.type_id._validate(document.number)
        if not result["valid"]:
            yield self._finding(
                admission, "document_number", document, value=document.number, reason=result["reason"]
            )
            return
        parsed = result["parsed"]
        # A type that is validated as the country's identification number holds that number.
        module = admission.country_id and get_cc_module(admission.country_id.code, "vat")
        if (
            admission.vat and module and not document.type_id.number_format
            and module.is_valid(parsed["number"]) and module.compact(parsed["number"]) != module.compact(admission.vat)
        ):
            yield self._finding(
                admission, "document_number_vat", document, value=parsed["number"], other=admission.vat
            )
        region = parsed.get("region") or {}
        if region.get("code"):
            given = self._province_of_code(admission.country_id, region["code"])
            placed = self._province(admission.region_id) if admission.state_id else given.browse()
            if given and placed and given != placed:
                yield self._finding(
                    admission, "vat_region", document, value=parsed["number"], region=given.name, place=placed.name
                )

    @api.model
    def _expiry_findings(self, admission, document, today):
        expiry = document.expiry_date
        if not expiry:
            return
        text = fields.Date.to_string(expiry)
        days_left = (expiry - today).days
        if days_left < 0:
            yield self._finding(admission, "document_expired", document, expiry_date=text)
            return
        for days, code in EXPIRY_STEPS:
            if days_left <= days:
                yield self._finding(admission, code, document, expiry_date=text)
                break
        opens, closes = self._renewal_window(admission, document)
        if opens and opens <= today <= expiry:
            yield self._finding(
                admission, "document_renewal", document, opens_date=fields.Date.to_string(opens),
                closes_date=fields.Date.to_string(closes),
            )

    @api.model
    def _renewal_window(self, admission, document):
        """First and last day on which the renewal may be requested, as the qualification that it becomes says."""
        if not document.type_id.renewal_window_days:
            return False, False
        return self.env["channel.qualification"].new({
            "type_id": document.type_id.id,
            "expiry_date": document.expiry_date,
            "issue_date": document.issue_date or document.expiry_date,
        })._renewal_window()

    @api.model
    def _scope_findings(self, admission, document):
        qualification_type = document.type_id
        if not qualification_type.has_scope or document.qualification_id and not document.attachment_ids:
            return
        if not document.scope_text:
            code = "scope_missing" if qualification_type.scope_required else "scope_advised"
            yield self._finding(admission, code, document)
            return
        scope = qualification_type._parse_scope(document.scope_text)
        if scope["rest"]:
            yield self._finding(
                admission, "scope_unparsed", document, rest=[part["text"][:200] for part in scope["rest"]][:5]
            )
        named = {line["device_class"] for line in scope["lines"]}
        if named and False not in named:
            limited = {
                device_class for device_class, name in DEVICE_CLASSES.items() if qualification_type[name]
            } or set(DEVICE_CLASSES)
            missing = sorted(set(admission._device_classes()) & limited - named)
            if missing:
                yield self._finding(admission, "scope_class", document, classes=missing)

    def _check_register(self, admissions):
        """What official lists say about the numbers, where lists are kept."""
        documents = admissions.document_ids.filtered("number")
        answers = self.env["channel.register"]._lookup([
            {"type_id": document.type_id.id, "number": document.number} for document in documents
        ])
        verifications = self.env["channel.verification"]
        labels = self.env["channel.register"]._fact_labels()
        for document, answer in zip(documents, answers, strict=True):
            if not answer:
                continue
            if not answer["found"]:
                if answer["complete"]:
                    yield self._finding(document.admission_id, "register_unknown", document, value=document.number)
                continue
            if differences := verifications._differences(document, answer):
                yield self._finding(document.admission_id, "register_mismatch", document, value="; ".join(
                    f"{labels[entry['fact']]}: {entry['ours'] or '-'} / {entry['theirs'] or '-'}"
                    for entry in differences
                ))

    #=== OTHER MEMBERS ===#

    def _check_duplicates(self, admissions):
        """Companies that have the identification number already."""
        similar = admissions._similar_partners()
        for admission in admissions:
            partners = similar.get(admission, self.env["res.partner"])
            members = partners.filtered(lambda p: p.channel_state in ("applicant", "active", "suspended"))
            former = partners.filtered(lambda p: p.channel_state == "terminated")
            own = admission.partner_id
            if admission.kind == "new" and own.channel_state in ("terminated", "suspended"):
                former |= own
            if members:
                yield self._finding(admission, "duplicate_member", other=self._names(members))
            if former:
                yield self._finding(admission, "former_member", other=self._names(former))
            if known := partners - members - former:
                yield self._finding(admission, "known_partner", other=self._names(known))

    def _check_open_admissions(self, admissions):
        numbers = {admission.vat for admission in admissions if admission.vat and admission.kind == "new"}
        if not numbers:
            return
        others = self.env["channel.admission"].search([
            ("vat", "in", list(numbers)), ("kind", "=", "new"), ("state", "in", ("draft", "returned", "submitted")),
        ]).grouped("vat")
        for admission in admissions:
            if admission.kind != "new":
                continue
            same = (others.get(admission.vat, admission) - admission).filtered(
                lambda other, admission=admission: other.company_id == admission.company_id
            )
            if same:
                yield self._finding(admission, "open_admission", other=", ".join(sorted(same.mapped("reference"))))

    def _check_shared(self, admissions):
        """What companies that are one and the same share: bank account, legal representative, address."""
        keys = {
            "bank": {admission: number_key(admission.bank_account) for admission in admissions},
            "legal_person": {admission: compared(admission.legal_person) for admission in admissions},
            "address": {
                admission: address_key(
                    admission.country_id.id, admission.city, admission.street, admission.street2
                )
                for admission in admissions
            },
        }
        for kind, by_admission in keys.items():
            wanted = {key for key in by_admission.values() if key}
            members = self.env["channel.member.key"]._members_by_key(kind, wanted)
            for admission, key in by_admission.items():
                others = self.env["res.partner"].browse(members.get(key, ())) - admission.partner_id
                if others:
                    yield self._finding(admission, SHARED[kind], other=self._names(others))

    def _check_email(self, admissions):
        """The contact's address is the login of somebody else's user."""
        emails = {admission: email_normalize(admission.email or "") for admission in admissions}
        wanted = list({email for email in emails.values() if email})
        if not wanted:
            return
        users = self.env["res.users"].with_context(active_test=False).search([("login", "in", wanted)])
        by_login = {user.login: user for user in users}
        for admission, email in emails.items():
            user = by_login.get(email)
            if user and user.partner_id.commercial_partner_id != admission.partner_id:
                yield self._finding(admission, "email_taken", field="email")

    def _check_territory(self, admissions):
        """Products and territory asked for are exclusive to another member, members above and below left out."""
        asking = admissions.filtered(lambda a: a.product_categ_ids and (a.region_ids or a.customer_ids))
        if not asking:
            return
        for model, names in (
            ("channel.authorization", None), ("channel.admission", ["parent_id", "partner_id", "company_id"]),
            ("channel.region", ["parent_path"]), ("product.category", ["parent_path"]),
            ("res.partner", ["channel_parent_id", "channel_region_id"]),
        ):
            self.env[model].flush_model(names)
        rows = self.env.execute_query(SQL(
            """
            SELECT a.id, array_agg(DISTINCT other.id)
              FROM channel_admission a
              JOIN channel_authorization other
                ON other.company_id = a.company_id AND other.exclusive AND other.state = 'approved'
               AND (other.date_to IS NULL OR other.date_to >= %(today)s)
               AND other.partner_id IS DISTINCT FROM a.partner_id
               AND other.partner_id IS DISTINCT FROM a.parent_id
         LEFT JOIN res_partner member ON member.id = a.partner_id
             WHERE a.id = ANY(%(ids)s)
               AND (member.id IS NULL OR other.partner_id IS DISTINCT FROM member.channel_parent_id)
               AND NOT EXISTS (
                    SELECT FROM res_partner below
                     WHERE below.id = other.partner_id AND below.channel_parent_id = a.partner_id
               )
               AND (
                    other.all_products
                    OR EXISTS (
                        SELECT FROM channel_admission_product_category_rel wanted_rel
                          JOIN product_category wanted ON wanted.id = wanted_rel.category_id
                          JOIN channel_authorization_product_category_rel given_rel
                            ON given_rel.authorization_id = other.id
                          JOIN product_category given ON given.id = given_rel.category_id
                         WHERE wanted_rel.admission_id = a.id
                           AND (wanted.parent_path LIKE given.parent_path || '%%'
                                OR given.parent_path LIKE wanted.parent_path || '%%')
                    )
                    OR EXISTS (
                        SELECT FROM channel_admission_product_category_rel wanted_rel
                          JOIN product_category wanted ON wanted.id = wanted_rel.category_id
                          JOIN channel_authorization_product_rel given_rel ON given_rel.authorization_id = other.id
                          JOIN product_product product ON product.id = given_rel.product_id
                          JOIN product_template template ON template.id = product.product_tmpl_id
                          JOIN product_category own ON own.id = template.categ_id
                         WHERE wanted_rel.admission_id = a.id AND own.parent_path LIKE wanted.parent_path || '%%'
                    )
               )
               AND EXISTS (
                    SELECT FROM (
                        SELECT region.parent_path FROM channel_admission_region_rel rel
                          JOIN channel_region region ON region.id = rel.region_id WHERE rel.admission_id = a.id
                         UNION ALL
                        SELECT region.parent_path FROM channel_admission_customer_rel rel
                          JOIN res_partner hospital ON hospital.id = rel.partner_id
                          JOIN channel_region region ON region.id = hospital.channel_region_id
                         WHERE rel.admission_id = a.id
                    ) wanted
                    JOIN (
                        SELECT region.parent_path FROM channel_authorization_region_rel rel
                          JOIN channel_region region ON region.id = rel.region_id WHERE rel.authorization_id = other.id
                         UNION ALL
                        SELECT region.parent_path FROM channel_authorization_customer_rel rel
                          JOIN res_partner hospital ON hospital.id = rel.partner_id
                          JOIN channel_region region ON region.id = hospital.channel_region_id
                         WHERE rel.authorization_id = other.id
                    ) given
                      ON wanted.parent_path LIKE given.parent_path || '%%'
                      OR given.parent_path LIKE wanted.parent_path || '%%'
               )
          GROUP BY a.id
            """,
            ids=asking.ids,
            today=fields.Date.context_today(self),
        ))
        conflicts = {admission_id: sorted(ids) for admission_id, ids in rows}
        authorizations = self.env["channel.authorization"].browse(sum(conflicts.values(), []))
        for admission in asking:
            others = authorizations.browse(conflicts.get(admission.id, ())).with_prefetch(authorizations._ids)
            if others:
                yield self._finding(admission, "territory_exclusive", other=", ".join(
                    f"{other.partner_id.name} ({other.number})" for other in others
                ))

    #=== CHANGES ===#

    def _check_changes(self, admissions):
        for admission in admissions.filtered(lambda a: a.kind == "change"):
            new_documents = admission.document_ids.filtered(lambda d: d._is_new_version())
            if not admission._difference() and not new_documents:
                yield self._finding(admission, "nothing_changed")
            if not admission.before_values:
                continue
            now = admission._particulars(admission.partner_id)
            moved = sorted(
                name for name, value in now.items() if (admission.before_values.get(name) or False) != value
            )
            if moved:
                yield self._finding(admission, "member_moved", value=[
                    admission._fields[name].string for name in moved
                ])

    #=== TOOLING ===#

    @api.model
    def _names(self, partners):
        return ", ".join(
            f"{partner.name} [{partner.channel_code}]" if partner.channel_code else partner.name or ""
            for partner in partners.sorted("id")
        )

    @api.model
    def _folded(self, name):
        """A company's name as it is compared: width, case, blanks and brackets do not count."""
        return "".join(
            character for character in unicodedata.normalize("NFKC", name).casefold() if character.isalnum()
        )

    @api.model
    def _province(self, region):
        while region and region.level != "province":
            region = region.parent_id
        return region

    @api.model
    def _province_of_code(self, country, code):
        return self._province(self.env["channel.region"].search([
            ("country_id", "=", country.id), ("code", "=", code),
        ], limit=1))
