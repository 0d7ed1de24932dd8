from lxml import etree

from odoo.tests import Form, tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestVersionForm(ChannelRebateCommon):
    """Every term that decides a rebate can be entered in the form of the version."""

    def _version_form(self):
        program = self._program("FORM", [(0, 2)], approve=False)
        return program.version_ids.with_user(self.user_finance)

    def test_no_term_is_missing(self):
        self.env.user.group_ids += self.env.ref("base.group_multi_currency") + self.env.ref("uom.group_uom")
        Version = self.env["channel.rebate.program.version"]
        arch = etree.fromstring(Version.get_view(view_type="form")["arch"])
        shown = {node.get("name") for node in arch.iter("field")}
        # The scope's days are those of the version
        terms = set(Version._approval_terms()) - {"date_from", "date_to"}
        missing = {name for name in terms if name in Version._fields and not Version._fields[name].related} - shown
        # Of the scope mixin, whose parties programmes do not name
        self.assertEqual(missing - {"member_ids", "customer_ids", "region_ids"}, set())

    def test_terms_of_many_kinds_are_entered(self):
        version = self._version_form()
        with Form(version) as form:
            form.kind = "marginal"
            form.tier_measure = "growth_rate"
            form.baseline_missing = "new_partner"
            form.new_partner_rate = 1.5
            form.payout_cap = 5000
            form.guarantee = 100
            form.guarantee_carry = True
            with form.collection_ids.new() as factor:
                factor.days = 30
                factor.factor = 100
            with form.tier_ids.new() as tier:
                tier.lower_bound = 10
                tier.rate = 3
                tier.payout_cap = 700
        self.assertRecordValues(version, [{
            "kind": "marginal", "tier_measure": "growth_rate", "new_partner_rate": 1.5, "payout_cap": 5000,
            "guarantee": 100, "guarantee_carry": True,
        }])
        self.assertEqual((version.collection_ids.days, version.tier_ids.sorted()[-1].payout_cap), (30, 700))

    def test_an_exclusion_is_asked_for_and_taken_back(self):
        version = self._version_form()
        self.assertFalse(version.has_excluded_products)
        with Form(version) as form:
            form.has_excluded_products = True
            form.excluded_product_domain = f"[('id', '=', {self.device.id})]"
        self.assertEqual(version.excluded_product_domain, f"[('id', '=', {self.device.id})]")
        with Form(version) as form:
            form.has_excluded_products = False
        self.assertFalse(version.excluded_product_domain)

    def test_shares_and_components(self):
        version = self._version_form()
        version.write({"payee_kind": "group", "distribution": "share", "mix_mode": "all"})
        with Form(version) as form:
            with form.share_ids.new() as share:
                share.partner_id = self.dealer
                share.share = 100
            with form.component_ids.new() as component:
                component.name = "Balloons"
                component.product_domain = f"[('id', '=', {self.device.id})]"
                component.minimum = 10
        self.assertEqual((version.share_ids.partner_id, version.component_ids.minimum), (self.dealer, 10))

    def test_figures_of_the_programme(self):
        program = self._program("FIG", [(0, 2)])
        with Form(self.env["channel.rebate.figure"].with_user(self.user_finance).with_context(
            default_program_id=program.id
        )) as form:
            form.member_id = self.dealer
            form.kind = "target"
            form.value = 1000
            form.date_from = "2026-01-01"
        figure = program.figure_ids
        self.assertEqual((figure.value, figure.state), (1000, "draft"))
        figure.with_user(self.user_manager).action_approve()
        self.assertEqual(figure.state, "approved")
