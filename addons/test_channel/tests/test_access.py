# ruff: noqa: E501 (a table broken into lines cannot be read)
from odoo.tests import tagged

from odoo.addons.channel_base.tests.access_matrix import access_differences, parse_matrix
from odoo.addons.channel_base.tests.common import POSITIONS, ChannelCommon

# c create, r read, u write, d delete. Record rules (regions, companies, the own company on the portal) and the states
# of a document narrow what a letter says: drafts are deleted, what has been decided is not.
#
# `internal` is a salesperson without a position in the channel, `portal` a dealer, `public` a visitor.
MATRIX = """
    model                           sales manager pricing contract finance compliance executive auditor admin internal portal public

    # Kernel: what everybody's documents rest on
    channel.region                  r     crud    r       r        r       r          r         r       crud  r        -      -
    channel.segment                 r     crud    crud    r        r       r          r         r       crud  r        -      -
    channel.segment.membership      r     r       r       r        r       r          r         r       r     r        -      -
    channel.gate.operation          r     r       r       r        r       r          r         r       crud  -        -      -
    channel.gate.check              r     r       r       r        r       cru        r         r       crud  -        -      -
    channel.gate.severity           r     r       r       r        r       crud       r         r       crud  -        -      -
    channel.gate.finding            r     r       r       r        r       r          r         r       r     -        -      -
    channel.audit.entry             -     -       -       -        -       r          -         r       r     -        -      -
    channel.audit.head              -     -       -       -        -       r          -         r       r     -        -      -
    channel.alert                   ru    ru      ru      ru       ru      ru         r         r       ru    -        -      -
    channel.approval.deputy         crud  crud    crud    crud     crud    crud       r         r       crud  -        -      -
    channel.alert.escalation        r     r       r       r        r       r          r         r       crud  -        -      -

    # Members
    channel.hospital.grade          r     r       r       r        r       r          r         r       crud  r        -      -
    channel.device.category         r     r       r       r        r       crud       r         r       crud  r        r      -
    channel.admission               crud  crud    r       r        r       crud       r         r       crud  -        r      -
    channel.admission.document      crud  crud    r       r        r       crud       r         r       crud  -        r      -
    channel.admission.finding       r     r       r       r        r       r          r         r       r     -        -      -
    channel.admission.submission    r     r       r       r        r       r          r         r       r     -        -      -
    channel.reaudit.rule            r     r       r       r        r       crud       r         r       crud  -        -      -
    channel.qualification.type      r     r       r       r        r       crud       r         r       crud  -        r      -
    channel.member.period           r     r       r       r        r       r          r         r       r     -        -      -
    channel.member.key              -     -       -       -        -       r          -         r       r     -        -      -
    channel.qualification           crud  crud    r       r        r       crud       r         r       crud  -        r      -
    channel.qualification.suspension r    r       r       r        r       r          r         r       r     -        -      -
    channel.qualification.warning   r     r       r       r        r       r          r         r       r     -        -      -
    channel.qualification.scope     crud  crud    r       r        r       crud       r         r       crud  -        r      -
    channel.registration            r     crud    r       r        r       crud       r         r       crud  r        -      -
    channel.register.list           r     r       r       r        r       crud       r         r       crud  -        -      -
    channel.register.entry          r     r       r       r        r       r          r         r       r     -        -      -
    channel.register.import         r     r       r       r        r       crud       r         r       crud  -        -      -
    channel.register.import.row     r     r       r       r        r       r          r         r       r     -        -      -
    channel.verification            r     r       r       r        r       r          r         r       r     -        -      -
    channel.authorization           crud  crud    r       crud     r       crud       r         r       crud  -        r      -
    channel.authorization.conflict  r     r       r       r        r       r          r         r       r     -        -      -
    channel.authorization.gap       r     r       r       r        r       r          r         r       r     -        -      -
    channel.salesperson.authority   r     crud    r       r        r       crud       r         r       crud  -        -      -
    channel.tier.rule               r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.criterion          r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.band               r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.threshold          r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.review             r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.review.line        r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.tier.score              r     crud    r       r        r       crud       r         r       crud  -        -      -
    channel.cn.day                  r     r       r       r        r       crud       r         r       crud  -        -      -

    # Prices
    channel.price.import            -     r       crud    -        -       -          -         r       crud  -        -      -
    channel.price.import.error      -     r       crud    -        -       -          -         r       crud  -        -      -
    channel.price.version           r     r       crud    r        r       r          r         r       crud  -        -      -
    channel.price.version.offer     r     r       crud    r        r       r          r         r       crud  -        -      -
    channel.price.change            -     r       r       -        -       -          r         r       r     -        -      -
    channel.price.effect            -     r       r       -        -       -          r         r       r     -        -      -
    channel.price.issue             -     r       r       -        -       -          -         r       r     -        -      -
    channel.price.severity          r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.price.import.line       -     r       r       -        -       -          -         r       r     -        -      -
    channel.price.consistency       -     r       r       -        r       -          r         r       r     -        -      -
    channel.stacking.policy         r     crud    crud    r        r       r          r         r       crud  -        -      -
    channel.stacking.policy.line    r     crud    crud    r        r       r          r         r       crud  -        -      -
    channel.stacking.group          r     crud    crud    r        r       r          r         r       crud  -        -      -
    channel.price.limit             r     r       crud    r        r       r          r         r       crud  -        -      -
    channel.discount.limit          r     r       crud    r        r       r          r         r       crud  -        -      -
    channel.price.request           crud  crud    crud    r        r       r          r         r       crud  -        r      -
    channel.price.request.line      crud  crud    crud    r        r       r          r         r       crud  -        r      -

    # Contracts
    channel.clause                  r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.clause.category         r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.clause.version          r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.clause.text             r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.contract.template       r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.contract.template.line  r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.contract.comment        r     r       r       r        r       r          r         r       r     -        r      -
    channel.contract                r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.version        r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.clause.line    r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.commitment     r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.obligation     r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.type           r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.service.level  r     r       r       crud     r       r          r         r       crud  -        r      -
    channel.contract.performance    r     r       r       r        r       r          r         r       r     -        -      -
    channel.contract.suspension     r     r       r       r        r       r          r         r       r     -        -      -
    channel.contract.event          r     r       r       r        r       r          r         r       r     -        -      -
    channel.contract.signatory      r     r       r       crud     r       r          r         r       crud  -        -      -
    channel.contract.signature.request r  r       r       r        r       r          r         r       r     -        -      -
    channel.contract.original       r     r       r       rc       r       r          r         r       rc    -        -      -
    channel.contract.original.reject -    cru     -       cru      -       -          -         -       cru   -        -      -
    channel.contract.sign           cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -      -
    channel.contract.signature      -     r       -       r        -       r          -         r       r     -        -      -

    # Rebates: balances and entries are written by the accrual only
    channel.rebate.program          r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.program.version  r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.tier             r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.share            r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.component        r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.collection       r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.combination      r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.figure           r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.template         r     r       r       r        crud    r          r         r       crud  -        -      -
    channel.rebate.goods            -     -       -       -        -       -          -         r       r     -        -      -
    channel.rebate.block            -     -       -       -        -       -          -         r       r     -        -      -
    channel.rebate.change           -     -       -       -        -       -          -         r       r     -        -      -
    channel.rebate.balance          r     r       -       -        r       -          r         r       r     -        r      -
    channel.rebate.entry            r     r       -       -        r       -          r         r       r     -        r      -
    channel.rebate.statement        r     r       -       -        crud    -          r         r       crud  -        r      -
    channel.dispute                 cru   cru     -       -        cru     -          r         r       cru   -        r      -
    channel.rebate.hold             r     r       -       -        cru     -          r         r       cru   -        -      -
    channel.rebate.correction       r     cru     -       -        crud    -          r         r       crud  -        -      -
    channel.settlement              r     r       -       -        crud    -          r         r       crud  -        -      -
    channel.settlement.line         r     r       -       -        crud    -          r         r       crud  -        -      -

    # Orders
    channel.account.statement       r     r       -       -        crud    -          r         r       crud  -        r      -
    channel.account.match           r     r       -       -        cr      -          r         r       cr    -        -      -
    channel.account.difference      r     r       -       -        cru     -          r         r       cru   -        r      -
    channel.acceptance              r     r       r       r        r       r          r         r       r     -        r      -
    channel.allocation              r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.allocation.line         r     rd      r       r        r       r          r         r       rd    -        -      -
    channel.allocation.rule         r     crud    r       r        r       r          r         r       crud  -        -      -
    channel.lot.hold                r     r       r       r        r       cru        r         r       cru   -        -      -
    channel.claim                   crud  crud    r       r        r       r          r         r       crud  -        -      -
    channel.claim.line              crud  crud    r       r        r       r          r         r       crud  -        -      -
    channel.acceptance.line         r     r       r       r        r       r          r         r       r     -        -      -
    channel.order.transfer          crud  crud    r       r        r       r          r         r       crud  -        r      -
    channel.order.transfer.line     crud  crud    r       r        r       r          r         r       crud  -        r      -

    # Reports
    channel.report.coverage         r     r       r       r        r       r          r         r       r     -        -      -
    channel.report.risk             r     r       r       r        r       r          r         r       r     -        -      -
    channel.report.stock            -     r       r       r        r       r          r         r       r     -        -      -

    # Dialogs: everybody fills in the own one, and what it does asks for the position
    channel.import.line             crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.gate.override           cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -      -
    channel.admission.decision      crud  crud    -       -        -       crud       -         -       crud  -        -      -
    channel.admission.decision.line crud  crud    -       -        -       crud       -         -       crud  -        -      -
    channel.member.change           -     crud    -       -        -       crud       -         -       crud  -        -      -
    channel.contract.decision       -     -       -       crud     -       -          -         -       crud  -        -      -
    channel.account.statement.batch -    -       -       -        crud    -          -         -       crud  -        -      -
    channel.order.transfer.decision -     crud    -       -        -       -          -         -       crud  -        -      -
    channel.member.decision         -     crud    -       -        -       crud       -         -       crud  -        -      -
    channel.scope.review            crud  crud    -       -        -       crud       -         -       crud  -        -      -
    channel.scope.review.line       crud  crud    -       -        -       crud       -         -       crud  -        -      -
    channel.member.import           crud  crud    -       -        -       -          -         -       crud  -        -      -
    channel.qualification.import    crud  crud    -       -        -       crud       -         -       crud  -        -      -
    channel.authorization.import    crud  crud    -       crud     -       crud       -         -       crud  -        -      -
    channel.region.reassign         -     crud    -       -        -       -          -         -       crud  -        -      -
    channel.region.reassign.line    -     crud    -       -        -       -          -         -       crud  -        -      -
    channel.rebate.statement.match  r     r       -       -        crud    -          r         r       crud  -        -      -
    channel.rebate.statement.match.line r r       -       -        crd     -          r         r       crd   -        -      -
    channel.rebate.statement.batch  -     -       -       -        crud    -          -         -       crud  -        -      -
    channel.rebate.template.choice  -     -       -       -        crud    -          -         -       crud  -        -      -
    channel.rebate.simulation       -     crud    -       -        crud    -          -         -       crud  -        -      -
    channel.rebate.simulation.line  -     crud    -       -        crud    -          -         -       crud  -        -      -
    channel.rebate.statement.wizard crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.cn.county.load          -     -       -       -        -       -          -         -       crud  -        -      -
    channel.price.issue.accept      -     crud    crud    -        -       -          -         -       crud  -        -      -
    channel.price.check             cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -      -
    channel.price.book              crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.price.book.line         crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.stacking.trial          crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.stacking.trial.line     crud  crud    crud    crud     crud    crud       crud      crud    crud  -        -      -
    channel.price.decision          cru   cru     cru     -        -       -          -         -       cru   -        -      -
    channel.price.update            cru   cru     cru     cru      cru     cru        cru       cru     cru   cru      -      -
    channel.price.update.line       crud  crud    crud    crud     crud    crud       crud      crud    crud  crud     -      -
    channel.contract.import         -     -       -       crud     -       -          -         -       crud  -        -      -
    channel.contract.template.apply -     -       -       crud     -       -          -         -       crud  -        -      -
    channel.contract.answer         cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -      -
    channel.contract.comparison     cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -      -
    channel.portal.hit              -     -       -       -        -       -          -         -       -     -        -      -
"""

#: What a dealer on the portal reads that belongs to nobody: names of categories and of kinds of documents
PORTAL_REFERENCE = {"channel.contract.type", "channel.device.category", "channel.qualification.type"}


@tagged("post_install", "-at_install")
class TestAccess(ChannelCommon):
    """Every position, every model of the suite, every right: as a table. ``docs/roles.md`` says why."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {position: getattr(cls, f"user_{position}") for position in POSITIONS}
        cls.users.update(internal=cls.user_internal, portal=cls.user_portal, public=cls.env.ref("base.public_user"))
        cls.matrix = parse_matrix(MATRIX)
        cls.models = {
            name for name, model in cls.env.items() if name.startswith("channel.") and not model._abstract
        }

    def _stored(self):
        """:return: models of the table that are not dialogs"""
        return [model for model in self.matrix if not self.env[model]._transient]

    def test_every_model_is_in_the_table(self):
        self.assertEqual(set(self.matrix), self.models)

    def test_matrix(self):
        differences = access_differences(self.env, self.users, MATRIX)
        self.assertFalse(differences, "\n".join(["", *differences]))

    def test_who_only_reads(self):
        """The table itself keeps to what no change of it may give."""
        wrong = [
            f"{model}: {role} may {self.matrix[model][role]}"
            for model in self._stored()
            for role in ("executive", "auditor", "portal", "public", "internal")
            if set(self.matrix[model][role]) - {"r"}
        ]
        wrong += [f"{model}: public reads it" for model in self._stored() if self.matrix[model]["public"]]
        wrong += [
            f"{model}: the auditor does not read it" for model in self._stored() if not self.matrix[model]["auditor"]
        ]
        self.assertFalse(wrong, "\n".join(["", *wrong]))

    def test_the_portal_reads_by_rules(self):
        """What a dealer may read at all is narrowed to the own company by a rule of the portal's group."""
        portal = self.env.ref("base.group_portal")
        readable = {model for model in self._stored() if self.matrix[model]["portal"]} - PORTAL_REFERENCE
        ruled = set(
            self.env["ir.rule"]
            .search([("groups", "=", portal.id), ("perm_read", "=", True), ("model_id.model", "in", list(readable))])
            .mapped("model_id.model")
        )
        self.assertEqual(ruled, readable)

    def test_companies_and_regions_by_rules(self):
        """What belongs to a company or a member is narrowed for everybody, by global rules that no group opens."""
        missing = []
        for model in self._stored():
            domains = " ".join(
                self.env["ir.rule"]
                .search([("model_id.model", "=", model), ("groups", "=", False), ("perm_read", "=", True)])
                .mapped("domain_force")
            )
            fields = self.env[model]._fields
            if "company_id" in fields and "company_ids" not in domains:
                missing.append(f"{model}: no rule for companies")
            if ({"member_id", "partner_id"} & fields.keys()) and self.matrix[model]["sales"] and (
                "channel_is_regional" not in domains
            ):
                missing.append(f"{model}: no rule for regions")
        self.assertFalse(missing, "\n".join(["", *missing]))
