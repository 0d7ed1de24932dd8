from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestScope(ChannelMemberCommon):
    def _draft(self, **values):
        return self._channel_qualification(self.dealer, verify=False, **values)

    def _scoped(self, *commands):
        """Give the dealer's licence these scope lines."""
        self.licence.with_user(self.user_compliance).action_draft(reason="corrected")
        self.licence.scope_ids = [Command.clear(), *commands]
        self.licence.with_user(self.user_compliance).action_verify()

    def _line(self, category=None, **values):
        return Command.create({"category_id": category.id if category else False, **values})

    # === WHAT A LINE COVERS === #

    def test_class(self):
        for device_class, codes in (("III", []), ("II", ["member_scope"]), (False, [])):
            with self.subTest(device_class=device_class):
                self._scoped(self._line(self.device_category_parent, device_class=device_class))
                self.assertEqual(self._channel_codes(customer=self.hospital), codes)

    def test_every_category_of_a_class(self):
        self._scoped(self._line(device_class="III"))
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self._scoped(self._line(device_class="II"))
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])

    def test_ivd(self):
        template = self.device.product_tmpl_id
        for ivd, of_instrument, of_reagent in (
            ("with", [], []), ("without", [], ["member_scope"]), ("only", ["member_scope"], []),
        ):
            self._scoped(self._line(self.device_category, ivd=ivd))
            for is_ivd, codes in ((False, of_instrument), (True, of_reagent)):
                with self.subTest(ivd=ivd, is_ivd=is_ivd):
                    template.channel_is_ivd = is_ivd
                    self.assertEqual(self._channel_codes(customer=self.hospital), codes)

    def test_catalogues_are_alternatives(self):
        """A product is covered when one line covers it in a catalogue in which it has a category."""
        old = self.env["channel.device.category"].create({"scheme": "old", "code": "77", "name": "Interventional"})
        other = self.env["channel.device.category"].create({"scheme": "old", "code": "15", "name": "Needles"})
        self._scoped(self._line(self.other_device_category), self._line(old))
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])
        self.device.product_tmpl_id.channel_category_ids = self.device_category | old
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self.device.product_tmpl_id.channel_category_ids = self.device_category | other
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])

    def test_excluded_category(self):
        self._scoped(self._line(
            self.device_category_parent, excluded_category_ids=[Command.set(self.device_category.ids)]
        ))
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])

    def test_limited_to_products_that_compliance_names(self):
        """A program does not guess what "stents only" means: covered is what somebody of Compliance named."""
        self._scoped(self._line(self.device_category, limitation="stents only", limit_kind="only"))
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])
        line = self.licence.scope_ids
        with self.assertRaises(AccessError):
            line.with_user(self.user_sales).product_tmpl_ids = self.device.product_tmpl_id
        line.with_user(self.user_compliance).product_tmpl_ids = self.device.product_tmpl_id
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        entry = self.env["channel.audit.entry"].sudo().search([("action", "=", "qualification.scope_read")], limit=1)
        self.assertTrue(entry)

    def test_all_but_products(self):
        self._scoped(self._line(self.device_category, limitation="except soft lenses", limit_kind="except"))
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self.licence.scope_ids.with_user(self.user_compliance).product_tmpl_ids = self.device.product_tmpl_id
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])

    def test_without_lines(self):
        """No scope means everything, unless the type wants a scope: then nothing."""
        self.assertFalse(self.licence.scope_ids)
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self.licence_type.scope_required = True
        self.assertTrue(self.licence.scope_missing)
        finding, = self._channel_evaluate(customer=self.hospital)
        self.assertEqual(finding["code"], "member_scope")
        self.assertIn("has no scope entered", finding["message"])
        self._scoped(self._line(self.device_category))
        self.assertFalse(self.licence.scope_missing)
        self.assertEqual(self._channel_codes(customer=self.hospital), [])

    # === LINES AND THEIR DOCUMENT === #

    def test_lines_do_not_change_once_verified(self):
        self._scoped(self._line(self.device_category))
        line = self.licence.scope_ids
        for change in (
            lambda: line.write({"category_id": self.other_device_category.id}),
            lambda: line.write({"ivd": "only", "product_tmpl_ids": [Command.clear()]}),
            lambda: line.unlink(),
            lambda: self.env["channel.qualification.scope"].with_user(self.user_compliance).create(
                {"qualification_id": self.licence.id, "category_id": self.other_device_category.id}
            ),
        ):
            with self.assertRaisesRegex(UserError, "does not change"), self.env.cr.savepoint():
                change()
        self.assertEqual(line.category_id, self.device_category)

    def test_line_does_not_move_to_a_verified_document(self):
        draft = self._draft(scope_ids=self._channel_scope(self.other_device_category))
        with self.assertRaisesRegex(UserError, "does not change"):
            draft.scope_ids.qualification_id = self.licence

    def test_who_changes_the_scope_does_not_verify(self):
        draft = self._draft(scope_ids=self._channel_scope(self.device_category))
        self.env["channel.qualification.scope"].with_user(self.user_compliance).create(
            {"qualification_id": draft.id, "category_id": self.other_device_category.id}
        )
        with self.assertRaisesRegex(UserError, "somebody else"):
            draft.with_user(self.user_compliance).action_verify()

    def test_renewal_keeps_the_scope(self):
        self._scoped(self._line(self.device_category, ivd="without"))
        renewal = self.env["channel.qualification"].browse(self.licence.action_renew()["res_id"])
        self.assertRecordValues(renewal.scope_ids, [{"category_id": self.device_category.id, "ivd": "without"}])
        self.assertTrue(self.licence.scope_ids)

    def test_catalogue_of_a_line(self):
        draft = self._draft()
        with self.assertRaisesRegex(ValidationError, "Catalogue other"):
            draft.scope_ids = [self._line(self.device_category, scheme="other")]

    # === READING === #

    def test_parser_of_codes(self):
        self.licence_type.write({"scope_parser": "codes", "scope_scheme": "test"})
        text = "T13-07; T22, T99 and more"
        result = self.env["channel.qualification.type"].parse_scope("test_licence", text)
        self.assertEqual([line["code"] for line in result["lines"]], ["T13-07", "T22"])
        self.assertEqual([part["text"] for part in result["rest"]], ["T99", "and", "more"])
        for part in result["lines"] + result["rest"]:
            self.assertEqual(text[part["start"]:part["end"]], part["text"])
        with self.assertRaisesRegex(UserError, "no qualification type"):
            self.env["channel.qualification.type"].parse_scope("nonsense", text)

    def test_without_parser_nothing_is_dropped(self):
        self.assertFalse(self.licence_type.scope_parser)
        draft = self._draft()
        draft._apply_scope_text("Class III: all implants")
        self.assertEqual(draft.scope_unparsed, "Class III: all implants")
        self.assertFalse(draft.scope_ids)

    def test_apply_text(self):
        self.licence_type.write({"scope_parser": "codes", "scope_scheme": "test"})
        draft = self._draft(scope_ids=self._channel_scope(self.other_device_category))
        draft._apply_scope_text("T13, lenses")
        self.assertEqual(draft.scope_ids.category_id, self.device_category_parent)
        self.assertEqual((draft.scope_text, draft.scope_unparsed), ("T13, lenses", "lenses"))
        draft.with_user(self.user_compliance).sudo(False)._apply_scope_text("")
        self.assertFalse(draft.scope_ids)

    def test_review(self):
        """The reviewer sees what was read and what was not, corrects it, and puts it on the document."""
        self.licence_type.write({"scope_parser": "codes", "scope_scheme": "test"})
        draft = self._draft(scope_text="T13-07, <b>lenses</b>")
        action = draft.with_user(self.user_sales).action_review_scope()
        review = self.env["channel.scope.review"].with_user(self.user_sales).browse(action["res_id"])
        self.assertEqual(review.line_ids.category_id, self.device_category)
        self.assertEqual(review.unparsed, "<b>lenses</b>")
        self.assertIn('<mark class="bg-warning">&lt;b&gt;lenses&lt;/b&gt;</mark>', review.reading_html)
        with Form(review) as form:
            form.text = "T13, T22, lenses"
            self.assertEqual(len(form.line_ids), 2)
            with form.line_ids.edit(1) as line:
                line.ivd = "without"
        review.action_confirm()
        self.assertRecordValues(draft.scope_ids, [
            {"category_id": self.device_category_parent.id, "ivd": "with", "source_text": "T13"},
            {"category_id": self.other_device_category.id, "ivd": "without", "source_text": "T22"},
        ])
        self.assertEqual((draft.scope_text, draft.scope_unparsed), ("T13, T22, lenses", "lenses"))
        self.assertEqual(draft.submitted_by_id, self.user_sales)

    def test_review_of_a_verified_document(self):
        action = self.licence.with_user(self.user_compliance).action_review_scope()
        review = self.env["channel.scope.review"].with_user(self.user_compliance).browse(action["res_id"])
        with self.assertRaisesRegex(UserError, "does not change"):
            review.action_confirm()

    # === RIGHTS === #

    def test_rights_follow_the_document(self):
        self._scoped(self._line(self.device_category))
        other = self._channel_qualification(self.other_dealer, scope_ids=self._channel_scope(self.device_category))
        lines = self.env["channel.qualification.scope"].with_user(self.user_sales)
        self.assertEqual(
            lines.search([("qualification_id", "in", (self.licence | other).ids)]), self.licence.scope_ids
        )
        portal = self.env["channel.qualification.scope"].with_user(self.user_portal)
        self.assertTrue(portal.search([]) <= self.env["channel.qualification.scope"].sudo().search([
            ("qualification_id.partner_id", "=", self.user_portal.commercial_partner_id.id)
        ]))
        for user in (self.user_finance, self.user_auditor, self.user_executive):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.licence.scope_ids.with_user(user).write({"ivd": "only"})

    # === SHAPE === #

    def test_shape(self):
        """One query for the scope of any number of products."""
        self._scoped(self._line(self.other_device_category))
        templates = self.env["product.template"].create([
            {"name": f"Device {index}", "channel_device_class": "III"} for index in range(50)
        ])

        def count(products):
            asks = [(self.dealer.id, date(2026, 1, 1), "III", product.id) for product in products]
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(self.env["channel.qualification"]._scope_gaps(asks)), len(products))
            return self.env.cr.sql_log_count - start

        products = templates.product_variant_id
        self.assertEqual(count(products[:5]), count(products))
