from datetime import date

from odoo import fields
from odoo.fields import Command

from odoo.addons.channel_base.tests.common import ChannelCommon


class ChannelMemberCommon(ChannelCommon):
    """A channel in good standing: whoever tests something higher up is not stopped by the gate.

    * ``dealer``, ``sub_dealer`` (below ``dealer``) and ``other_dealer`` are active members with a verified licence and
      an approved authorization for all products in their area; ``hospital`` (east) and ``hospital_west`` are active
    * ``device`` is of class III in ``device_category`` (a child of ``device_category_parent``), ``consumable`` is no
      device; ``other_device_category`` lies outside of both
    * ``licence_type`` (``test_licence``): mandatory for dealers of class II and III devices, with a scope
    * ``registration``: certificate of ``device``; no type asks for certificates until a test says so
    * helpers ``_channel_scope``, ``_channel_registration``, ``_channel_qualification`` and ``_channel_authorization``
      make verified and approved ones
    """

    @classmethod
    def _channel_member_values(cls, name, region, **values):
        return super()._channel_member_values(
            name, region, **{"channel_role": "distributor", "country_id": cls.env.ref("base.nz").id, **values}
        )

    @classmethod
    def _channel_hospital_values(cls, name, region, **values):
        return super()._channel_hospital_values(
            name, region, **{"channel_role": "hospital", "country_id": cls.env.ref("base.nz").id, **values}
        )

    @classmethod
    def _channel_setup_partners(cls):
        super()._channel_setup_partners()
        cls.hospital_west = cls.env["res.partner"].create(
            cls._channel_hospital_values("Test Hospital West", cls.region_west)
        )
        cls.sub_dealer.write({"channel_role": "sub_distributor", "channel_parent_id": cls.dealer.id})
        cls.members = cls.dealer | cls.sub_dealer | cls.other_dealer | cls.hospital | cls.hospital_west
        cls._channel_activate(cls.members)

    @classmethod
    def _channel_activate(cls, members, since=date(2000, 1, 1)):
        """Activate members and make them members of long standing: documents of the past are judged by their day."""
        members.action_channel_activate()
        members._channel_change({"channel_state": "active"}, date=since, reason="Known for years")

    @classmethod
    def _channel_setup_products(cls):
        super()._channel_setup_products()
        Category = cls.env["channel.device.category"]
        cls.device_category_parent = Category.create({"scheme": "test", "code": "T13", "name": "Implants"})
        cls.device_category = Category.create(
            {
                "scheme": "test",
                "code": "T13-07",
                "name": "Vascular implants",
                "parent_id": cls.device_category_parent.id,
            }
        )
        cls.other_device_category = Category.create({"scheme": "test", "code": "T22", "name": "Laboratory"})
        cls.device.product_tmpl_id.write({
            "channel_device_class": "III",
            "channel_category_ids": [Command.set(cls.device_category.ids)],
        })

    @classmethod
    def _channel_setup_users(cls):
        super()._channel_setup_users()
        # Who sets up (cls.env.user) is the author of what it makes, so these decide about it.
        roles = cls.env["ir.model.fields.selection"].sudo().search([
            ("field_id.model", "=", "res.partner"), ("field_id.name", "=", "channel_role"),
            ("value", "in", ("distributor", "sub_distributor")),
        ])
        cls.licence_type = cls.env["channel.qualification.type"].create({
            "name": "Test Trading Licence",
            "code": "test_licence",
            "country_id": cls.env.ref("base.nz").id,
            "role_ids": [Command.set(roles.ids)],
            "device_class_ii": True,
            "device_class_iii": True,
            "mandatory": True,
            "has_scope": True,
            "law": "Test Act, art. 1",
        })
        cls.registration = cls._channel_registration()
        cls.licence = cls._channel_qualification(cls.dealer)
        cls.authorization = cls._channel_authorization(cls.dealer, cls.region_east)
        cls._channel_qualification(cls.sub_dealer)
        cls._channel_authorization(cls.sub_dealer, cls.region_east)
        cls._channel_qualification(cls.other_dealer)
        cls.authorization_west = cls._channel_authorization(cls.other_dealer, cls.region_west)

    @classmethod
    def _channel_qualification(cls, partner, verify=True, **values):
        """Make a document of a member: the test licence, in force from 2020 to 2099 for every category."""
        qualification = cls.env["channel.qualification"].create({
            "partner_id": partner.id,
            "type_id": cls.licence_type.id,
            "number": f"LIC-{partner.id}",
            "issue_date": date(2020, 1, 1),
            "expiry_date": date(2099, 12, 31),
            **values,
        })
        if verify:
            qualification.with_user(cls.user_compliance).action_verify()
        return qualification

    @classmethod
    def _channel_scope(cls, *categories, **values):
        """Commands of scope lines, one for each category."""
        return [Command.clear(), *(
            Command.create({"category_id": category.id, **values}) for category in categories
        )]

    @classmethod
    def _channel_registration(cls, products=None, confirm=True, **values):
        """Make a certificate of products (the device), class III, in force from 2020 to 2099."""
        templates = (products or cls.device).product_tmpl_id
        registration = cls.env["channel.registration"].create({
            "number": f"TEST-REG-{templates[:1].id}",
            "device_class": "III",
            "valid_from": date(2020, 1, 1),
            "valid_to": date(2099, 12, 31),
            "product_tmpl_ids": [Command.set(templates.ids)],
            **values,
        })
        if confirm:
            registration.with_user(cls.user_compliance).action_confirm()
        return registration

    @classmethod
    def _channel_authorization(cls, partner, region=None, approve=True, **values):
        """Make an authorization for all products in a region, from 2020 on."""
        authorization = cls.env["channel.authorization"].create({
            "partner_id": partner.id,
            "company_id": cls.company.id,
            "date_from": date(2020, 1, 1),
            "all_products": True,
            "region_ids": [Command.set(region.ids if region else [])],
            **values,
        })
        if approve:
            authorization.with_user(cls.user_manager).action_approve()
        return authorization

    @classmethod
    def _channel_evaluate(cls, member=None, products=None, customer=None, day=None, operation="order"):
        """What the gate finds, as a list of ``{code, severity, message, line, ...}``."""
        return cls.env["channel.gate"].evaluate(
            operation,
            (member or cls.dealer).id,
            [{"product_id": product.id, "quantity": 1.0} for product in (products or cls.device)],
            customer_id=customer.id if customer else None,
            date=fields.Date.to_string(day) if day else None,
        )

    @classmethod
    def _channel_codes(cls, *args, **kwargs):
        """Codes of the findings, sorted."""
        return sorted(finding["code"] for finding in cls._channel_evaluate(*args, **kwargs))
