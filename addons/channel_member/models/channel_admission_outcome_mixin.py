from odoo import SUPERUSER_ID, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.mail import email_normalize

from ..tools.admission import PARTICULARS, REAUDIT_ALERT


class ChannelAdmissionOutcomeMixin(models.AbstractModel):
    """What an approval makes: member, contact, bank account, qualifications, authorization, next audit, portal user.

    Inherited by ``channel.admission``, which calls ``_outcome_<kind>()`` of each approved one, with superuser rights in
    the name of who gave the last approval (see ``_approval_done`` of the approval mixin).
    """

    _name = "channel.admission.outcome.mixin"
    _description = "Outcome of an Admission"

    def _outcome_new(self):
        """Make the applicant a member in good standing, without any further keying."""
        self.ensure_one()
        member = self._write_member(self._applied_vals())
        contact = self._write_contact(member)
        if not member.email:
            member.email = contact.email
        self._write_bank(member)
        self._make_qualifications(member)
        reason = self._reason()
        # sudo: the approval has decided; the record rules of the approver do not take part of the outcome away
        deciding = member.with_user(self._deciding_user()).sudo()
        if member.channel_state == "terminated":
            deciding.action_channel_readmit(reason)
        if member.channel_state == "applicant":
            deciding.action_channel_activate(reason)
        self._make_authorization(member)
        self._plan_next_audit(member)
        self._invite(member)

    def _outcome_change(self):
        """Write what was changed, and nothing else: other fields may have moved on since."""
        self.ensure_one()
        member = self.partner_id
        before = self._particulars(member)
        changed = {change["field"] for change in self._difference()}
        self._write_member({name: self._plain(name) for name in PARTICULARS if name in changed})
        if "bank_account" in changed:
            self._write_bank(member)
        self._make_qualifications(member)
        after = self._particulars(member)

        def journal(values):
            return {
                name: self._masked(values[name]) if name == "bank_account" else values[name] or None
                for name in sorted(changed)
            }

        if changed:
            self.env["channel.audit.entry"]._record(
                "member.changed", member, reason=self._reason(), before=journal(before), after=journal(after)
            )

    def _outcome_reaudit(self):
        """Take over renewed documents and plan the next audit, or suspend the member."""
        self.ensure_one()
        member = self.partner_id
        self._outcome_change()
        if self.outcome == "suspend" and member.channel_state == "active":
            # sudo: as above; the method itself asks for the position of the deciding user
            member.with_user(self._deciding_user()).sudo().action_channel_suspend(self._reason())
        self._plan_next_audit(member)
        self.env["channel.alert"]._clear_alerts(REAUDIT_ALERT, [str(self.id)])

    def _reason(self):
        return self.env._("Admission %(reference)s (%(kind)s)", reference=self.reference, kind=dict(
            self._fields["kind"]._description_selection(self.env)
        )[self.kind])

    def _deciding_user(self):
        """Of those who approved this admission, one who may admit members; else the last approver.

        The tiers of high risk end with people who approve admissions, but do not admit members themselves: the
        admission is then the decision of all of them, and is entered for the one whose position it is.
        """
        return self._approver_of("channel_base.group_channel_compliance", "channel_base.group_channel_manager")

    def _approver_of(self, *groups):
        approvers = self.env.user | self.review_ids.done_by
        for group in groups:
            if found := approvers.filtered(lambda user, group=group: user.has_group(group))[:1]:
                return found
        return self.env.user

    def _plain(self, name):
        value = self[name]
        return value.id if self._fields[name].type == "many2one" else value

    def _applied_vals(self):
        """Particulars that the applicant gave; an existing partner keeps what was left empty."""
        return {name: self._plain(name) for name in PARTICULARS if self[name] or not self.partner_id}

    def _write_member(self, values):
        """Create or update the partner from particulars.

        :param dict values: ``{field of the admission: value}``
        :return: the member
        """
        self.ensure_one()
        vals = {PARTICULARS[name]: value for name, value in values.items()}
        if self.partner_id:
            if vals:
                self.partner_id.write(vals)
            member = self.partner_id
        else:
            member = self.env["res.partner"].create({**vals, "is_company": True, "company_id": False})
            self._write_own({"partner_id": member.id})
        if self.grade_id and member.grade_id != self.grade_id:
            member._channel_change({"grade_id": self.grade_id.id}, reason=self._reason())
        return member

    def _write_contact(self, member):
        """The person who applied, as a contact of the member.

        :return: the contact; empty when no e-mail address was given
        """
        email = email_normalize(self.email or "")
        contacts = member.child_ids.filtered(lambda child: child.type == "contact")
        if not email:
            return contacts.browse()
        contact = contacts.filtered(lambda child: email_normalize(child.email or "") == email)[:1]
        return contact or member.create({
            "parent_id": member.id,
            "type": "contact",
            "name": self.contact_name or self.name,
            "email": email,
            "phone": self.mobile or self.phone,
            "lang": self.lang,
        })

    def _write_bank(self, member):
        """Add the account; the existing ones stay, because invoices and payments name them."""
        if not self.bank_account:
            return
        accounts = member.with_context(active_test=False).bank_ids
        wanted = accounts.new({"acc_number": self.bank_account}).sanitized_acc_number
        if wanted in accounts.mapped("sanitized_acc_number"):
            return
        bank = self.env["res.bank"]
        if self.bank_name:
            bank = bank.search([("name", "=ilike", self.bank_name)], limit=1) or bank.create({"name": self.bank_name})
        accounts.create({
            "partner_id": member.id,
            "acc_number": self.bank_account,
            "bank_id": bank.id,
            "acc_holder_name": self.name,
            # First, so that it is the one proposed.
            "sequence": min(accounts.mapped("sequence"), default=10) - 1,
        })

    def _make_qualifications(self, member):
        """Documents of the checklist become verified qualifications.

        Entered for who submitted them and verified by who approved: two persons.
        """
        qualifications = self.env["channel.qualification"]
        for document in self.document_ids.filtered(lambda d: d._is_new_version()):
            qualification = qualifications.create(document._qualification_vals(member))
            document._hand_over_files(qualification)
            document.qualification_id = qualification
            qualifications |= qualification
        if not qualifications:
            return qualifications
        # The approver presses the button, but wrote none of it: its authors are those of the admission.
        qualifications.write({
            "submitted_by_id": (self.submitted_by_id or self.create_uid).id,
            "author_ids": [Command.set(self._approval_authors().ids)],
        })
        verifier = self._deciding_user()
        if verifier.has_group("channel_base.group_channel_compliance"):
            # sudo: as above; action_verify asks for the position and that the verifier is no author
            qualifications.with_user(verifier).sudo().action_verify()
        else:
            self._message_log(body=self.env._(
                "Nobody of Compliance took part in the approval: the documents wait to be verified."
            ))
        return qualifications

    def _make_authorization(self, member):
        """Prepare what the member asked for: products x territory. Approve it where the company wants that.

        :return: the authorization; empty when no product or no territory was asked for
        """
        authorization = self.env["channel.authorization"]
        mode = self.company_id.channel_admission_authorization
        if mode == "none" or not self.product_categ_ids or not (self.region_ids or self.customer_ids):
            return authorization
        # The author is the applicant, who has no user: entered by the system, approved by a person.
        authorization = authorization.with_user(SUPERUSER_ID).create({
            "partner_id": member.id,
            "company_id": self.company_id.id,
            "product_categ_ids": [Command.set(self.product_categ_ids.ids)],
            "region_ids": [Command.set(self.region_ids.ids)],
            "customer_ids": [Command.set(self.customer_ids.ids)],
        }).with_user(self.env.user).sudo()
        if mode == "approved":
            if authorization.need_validation:
                authorization.request_validation()
                return authorization
            try:
                with self.env.cr.savepoint():
                    # Its tiers do not match, and the admission that asks for it has just been approved.
                    authorization._approve()
            except UserError as error:
                self._message_log(body=self.env._(
                    "Authorization %(number)s stays a draft: %(error)s", number=authorization.number, error=error
                ))
        return authorization

    def _plan_next_audit(self, member):
        date = self.next_audit_date or self.env["channel.reaudit.rule"]._next_date(member, self.risk_level)
        member.write({"channel_next_audit_date": date, "channel_risk_level": self.risk_level})

    def _invite(self, member):
        """Invite the contact to the portal by Odoo's own invitation; who has an account already is left alone."""
        contact = member.child_ids.filtered(
            lambda child: email_normalize(child.email or "") == email_normalize(self.email or "-")
        )[:1]
        if not contact or contact.user_ids:
            return
        wizard = self.env["portal.wizard"].create({"partner_ids": [Command.set(contact.ids)]})
        invitation = wizard.user_ids.filtered(lambda user: user.partner_id == contact)
        if invitation.email_state != "ok":
            self._message_log(body=self.env._(
                "%s was not invited to the portal: the address belongs to another user.", contact.email
            ))
            return
        invitation.action_grant_access()
