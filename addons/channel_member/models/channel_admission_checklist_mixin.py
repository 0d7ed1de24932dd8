from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..tools.admission import DEVICE_CLASSES, OPEN_STATES
from ..tools.identity import number_key


class ChannelAdmissionChecklistMixin(models.AbstractModel):
    """What an admission is asked for: fields, documents by role, country and device classes, how much of it is there.

    Inherited by ``channel.admission``. The checks themselves are ``channel.admission.check``.
    """

    _name = "channel.admission.checklist.mixin"
    _description = "Checklist of an Admission"

    def _device_classes(self):
        """The classes applied for, a list of ``I``, ``II``, ``III``."""
        self.ensure_one()
        return [device_class for device_class, name in DEVICE_CLASSES.items() if self[name]]

    def _required_fields(self):
        """Names of the fields without which this admission cannot be submitted."""
        self.ensure_one()
        return ["role", "name", "country_id", "contact_name", "email"]

    def _refresh(self):
        """Bring checklist and findings in step with the data, of those not decided yet.

        Set-based: a fixed number of queries, however many admissions; writes only what has changed.
        """
        # sudo: findings compare with members of every region, and only this method writes them.
        admissions = self.sudo().filtered(lambda a: a.state in OPEN_STATES)
        if admissions:
            self.env["channel.admission.document"].sudo()._sync(admissions)
            self.env["channel.admission.finding"]._replace(
                admissions, self.env["channel.admission.check"].sudo()._run(admissions)
            )

    def _checklist(self):
        """Types of documents that concern each admission, as :meth:`_types_asked_for`: ``{admission_id: {...}}``."""
        return self._types_asked_for(
            (admission.id, admission.country_id.id, admission.role, admission._device_classes())
            for admission in self.filtered("role")
        )

    @api.model
    def _types_asked_for(self, applicants):
        """Types of documents that concern applicants, in one query.

        A type without class, country and role is optional for everybody and not listed; it can be added by hand.

        :param applicants: iterable of ``(key, country_id, role, device_classes)``; the key is a number
        :return: ``{key: {type_id: mandatory}}`` in the order of the types
        """
        asks = [
            (key, country_id or None, role or None, device_class)
            for key, country_id, role, device_classes in applicants
            # A class that no type has: those who do not trade are asked for what every class asks for.
            for device_class in device_classes or ["-"]
        ]
        if not asks:
            return {}
        # sudo: kinds of documents are no secret, and a visitor who asks has no account.
        types = self.env["channel.qualification.type"].sudo()
        types.flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT member.id, type.id, bool_or(COALESCE(type.mandatory, FALSE))
              FROM unnest(%s::int[], %s::int[], %s::varchar[], %s::varchar[])
                   AS member(id, country_id, channel_role, device_class)
              JOIN channel_qualification_type type ON %s
             WHERE type.mandatory
                OR type.country_id IS NOT NULL
                OR EXISTS (SELECT FROM channel_qualification_type_role_rel rel WHERE rel.type_id = type.id)
          GROUP BY member.id, type.id, type.sequence, type.code
          ORDER BY type.sequence, type.code, type.id
            """,
            *(list(column) for column in zip(*asks, strict=True)),
            types._applies_sql(SQL("type"), SQL("member"), SQL("member.device_class")),
        ))
        asked = defaultdict(dict)
        for key, type_id, mandatory in rows:
            asked[key][type_id] = mandatory
        return asked

    def _similar_partners(self):
        """Companies with the identification number of the admissions, in a fixed number of queries.

        :return: ``{admission: partners}``, superuser rights, the admission's own partner left out
        """
        keys = {admission: number_key(admission.vat) for admission in self}
        if not any(keys.values()):
            return {}
        # sudo: a company that applies again must be seen although it lies in another region.
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        # Members are known by their keys, however the number is written; others by the spellings that are usual.
        spellings = {admission.vat for admission in self if admission.vat} | {
            key.upper() for key in keys.values() if key
        }
        members = self.env["channel.member.key"].sudo()._members_by_key("vat", {key for key in keys.values() if key})
        by_key = defaultdict(partners.browse)
        for key, partner_ids in members.items():
            by_key[key] |= partners.browse(partner_ids)
        for partner in partners.search([("vat", "in", list(spellings)), ("parent_id", "=", False)], order="id"):
            by_key[number_key(partner.vat)] |= partner
        return {
            admission: by_key[key].sorted("id") - admission.partner_id for admission, key in keys.items() if key
        }

    def _progress_counts(self):
        """``(done, total)`` of required fields and mandatory documents."""
        self.ensure_one()
        wanted = [bool(self[name]) for name in self._required_fields()]
        wanted += [document._is_provided() for document in self.document_ids if document.mandatory]
        return sum(wanted), len(wanted)
