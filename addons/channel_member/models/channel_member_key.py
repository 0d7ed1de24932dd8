from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.identity import address_key, compared, digest, number_key

#: Fields of the partner that keys are made of.
KEY_FIELDS = frozenset({
    "channel_role", "vat", "street", "street2", "city", "country_id", "channel_legal_person", "commercial_partner_id",
})
#: How many other members of one key are looked at, and how many are told: a wrong key shared by thousands stays cheap.
LOOKED_AT = 100
TOLD = 3
#: Key of the cursor's hooks under which changed members wait.
PENDING = "channel.member.key.pending"


class Twin(NamedTuple):
    """Another member that shares something."""

    partner_id: int
    code: str | None
    kinds: tuple
    state: str | None
    """State on the day asked about; of today when it was no member yet."""


class ChannelMemberKey(models.Model):
    """What a member can be recognised by, ready to be compared: one row for each number, account, address, person.

    Only digests are stored, so that the table tells nobody's account. True for members changed in this
    transaction: before the next question, and at commit.
    """

    _name = "channel.member.key"
    _description = "Sign of Identity of a Member"
    _log_access = False
    _rec_name = "kind"

    partner_id = fields.Many2one("res.partner", string="Member", required=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(
        [
            ("vat", "identification number"),
            ("bank", "bank account"),
            ("address", "address"),
            ("legal_person", "legal person"),
        ],
        required=True,
        readonly=True,
    )
    value = fields.Char(string="Digest", required=True, readonly=True)

    _member_key = models.UniqueIndex("(partner_id, kind, value)")
    _value_member = models.Index("(value, kind, partner_id)")

    # === BUSINESS METHODS === #

    @api.model
    def _twins(self, asks):
        """Find members that share something with others, in one query.

        :param asks: iterable of ``(partner_id, date)``
        :return: ``{(partner_id, date): [Twin]}``, at most ``TOLD`` each, excluded and suspended members first;
            members without a twin left out
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self._refresh_pending()
        rows = self.env.execute_query(SQL(
            """
            SELECT ask.key, other.partner_id, partner.channel_code,
                   COALESCE(period.state, partner.channel_state) AS state, array_agg(DISTINCT other.kind)
              FROM unnest(%(keys)s::int[], %(partners)s::int[], %(dates)s::date[]) AS ask(key, partner_id, date)
              JOIN channel_member_key own ON own.partner_id = ask.partner_id
        CROSS JOIN LATERAL (
                    SELECT same.partner_id, same.kind
                      FROM channel_member_key same
                     WHERE same.value = own.value AND same.kind = own.kind AND same.partner_id != own.partner_id
                     LIMIT %(looked_at)s
                   ) other
              JOIN res_partner partner ON partner.id = other.partner_id
         LEFT JOIN LATERAL %(as_of)s AS period ON TRUE
          GROUP BY ask.key, other.partner_id, partner.channel_code, COALESCE(period.state, partner.channel_state)
          ORDER BY ask.key, other.partner_id
            """,
            keys=list(range(len(asks))),
            partners=[partner_id for partner_id, _date in asks],
            dates=[date for _partner_id, date in asks],
            looked_at=LOOKED_AT,
            as_of=self.env["channel.member.period"]._as_of_sql(SQL("other.partner_id"), SQL("ask.date")),
        ))
        order = [kind for kind, _label in self._fields["kind"].selection]
        severity = {"terminated": 0, "suspended": 1}
        found = defaultdict(list)
        for key, partner_id, code, state, kinds in rows:
            found[asks[key]].append(Twin(partner_id, code, tuple(sorted(kinds, key=order.index)), state))
        return {
            ask: sorted(twins, key=lambda twin: (severity.get(twin.state, 2), twin.partner_id))[:TOLD]
            for ask, twins in found.items()
        }

    @api.model
    def _members_by_key(self, kind, keys):
        """Find the members that have one of these signs, in one query; for who is no member yet.

        :param str kind: a value of ``kind``
        :param keys: comparable forms, as :mod:`~odoo.addons.channel_member.tools.identity` makes them
        :return: ``{key: [partner id]}``, at most ``LOOKED_AT`` each, keys without a member left out
        """
        digests = {digest(kind, key): key for key in keys if key}
        if not digests:
            return {}
        self._refresh_pending()
        found = defaultdict(list)
        for value, partner_id in self.env.execute_query(SQL(
            """
            SELECT asked.value, same.partner_id
              FROM unnest(%s::text[]) AS asked(value)
        CROSS JOIN LATERAL (
                    SELECT own.partner_id
                      FROM channel_member_key own
                     WHERE own.value = asked.value AND own.kind = %s
                  ORDER BY own.partner_id
                     LIMIT %s
                   ) same
            """,
            list(digests), kind, LOOKED_AT,
        )):
            found[digests[value]].append(partner_id)
        return dict(found)

    # === KEEPING STEP === #

    @api.model
    def _members_changed(self, partner_ids):
        """Take note that members have changed: cheap, the work is done once, before the next question or commit."""
        precommit = self.env.cr.precommit
        pending = precommit.data.get(PENDING)
        if pending is None:
            pending = precommit.data[PENDING] = set()
            # the keys follow from the partners alone, not from who changed them
            keeper = self.browse().sudo().with_context({})  # pylint: disable=context-overridden
            precommit.add(keeper._refresh_before_commit)
        pending.update(partner_ids)

    @api.model
    def _refresh_pending(self):
        self.env["res.partner"].flush_model(KEY_FIELDS)
        self.env["res.partner.bank"].flush_model()
        pending = self.env.cr.precommit.data.get(PENDING)
        if pending:
            # sudo: the keys follow from the partners alone, not from who asks
            self.sudo()._refresh(pending)
            pending.clear()

    @api.model
    def _refresh_before_commit(self):
        self._refresh_pending()
        self.env.cr.precommit.data.pop(PENDING, None)

    @api.model
    def _refresh(self, partner_ids=None):
        """Make the keys of these members, of all when None, equal to what the partners say. Four queries."""
        which = SQL("TRUE") if partner_ids is None else SQL("p.id = ANY(%s)", list(partner_ids))
        wanted = set()
        for partner_id, vat, country_id, city, street, street2, person in self.env.execute_query(SQL(
            "SELECT p.id, p.vat, p.country_id, p.city, p.street, p.street2, p.channel_legal_person "
            "FROM res_partner p WHERE p.channel_role IS NOT NULL AND %s", which,
        )):
            keys = {
                "vat": number_key(vat),
                "address": address_key(country_id, city, street, street2),
                "legal_person": compared(person),
            }
            wanted.update((partner_id, kind, digest(kind, key)) for kind, key in keys.items() if key)
        for partner_id, number in self.env.execute_query(SQL(
            """
            SELECT p.id, bank.sanitized_acc_number
              FROM res_partner p
              JOIN res_partner holder ON holder.commercial_partner_id = p.id
              JOIN res_partner_bank bank ON bank.partner_id = holder.id
             WHERE bank.active AND p.channel_role IS NOT NULL AND %s
            """, which,
        )):
            if key := number_key(number):
                wanted.add((partner_id, "bank", digest("bank", key)))
        known = {
            (partner_id, kind, value): key_id
            for key_id, partner_id, kind, value in self.env.execute_query(SQL(
                "SELECT k.id, k.partner_id, k.kind, k.value FROM channel_member_key k "
                "JOIN res_partner p ON p.id = k.partner_id WHERE %s", which,
            ))
        }
        gone = [key_id for key, key_id in known.items() if key not in wanted]
        if gone:
            self.env.cr.execute(SQL("DELETE FROM channel_member_key WHERE id = ANY(%s)", gone))
        new = sorted(wanted - known.keys())
        if new:
            self.env.cr.execute(SQL(
                """
                INSERT INTO channel_member_key (partner_id, kind, value)
                SELECT * FROM unnest(%s::int[], %s::text[], %s::text[])
                ON CONFLICT DO NOTHING
                """,
                *(list(column) for column in zip(*new, strict=True)),
            ))
        self.invalidate_model(flush=False)
