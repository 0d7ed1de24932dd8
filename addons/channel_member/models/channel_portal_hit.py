import hashlib
import hmac
import ipaddress
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Requests per network address and hour on the pages that strangers may open; a parameter
#: ``channel_member.portal_limit_<kind>`` sets another number, 0 none at all.
LIMITS = {
    "apply": 10,  # new applications
    "post": 200,  # forms sent
    "upload": 60,  # files sent; each is read once
    "wrong": 30,  # links with a wrong token
    "mail": 5,  # links mailed, per e-mail address
}


# pylint: disable-next=no-wizard-in-models  # no dialog: transient only for Odoo's vacuum, as core's own log of limits
class ChannelPortalHit(models.TransientModel):
    """How often an address used a public page in an hour, for limits that hold over all workers.

    One row per kind, address and hour, counted up by one atomic statement in a transaction of its own: requests that
    fail count as well, and two workers cannot both take the last free place. Addresses are stored as keyed digests;
    Odoo's vacuum of transient records removes the rows.
    """

    _name = "channel.portal.hit"
    _description = "Requests to Public Pages"

    kind = fields.Char(required=True, readonly=True)
    address = fields.Char(required=True, readonly=True)
    hour = fields.Datetime(required=True, readonly=True)
    count = fields.Integer(readonly=True)

    _hit_uniq = models.UniqueIndex("(kind, address, hour)")

    @api.model
    def _hit(self, kind, address):
        """Count one request.

        :param str kind: a key of :meth:`_limits`
        :param str address: IP address of the client, or the e-mail address a mail goes to
        :return: seconds to wait when the limit is exceeded, else 0
        """
        limit = self._limit(kind)
        if not limit:
            return 0
        now = fields.Datetime.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self.env.registry.cursor() as cr:
            cr.execute(SQL(
                """
                INSERT INTO channel_portal_hit AS hit (kind, address, hour, count, create_date, write_date)
                VALUES (%(kind)s, %(address)s, %(hour)s, 1, %(now)s, %(now)s)
                ON CONFLICT (kind, address, hour) DO UPDATE SET count = hit.count + 1, write_date = %(now)s
                RETURNING count
                """,
                kind=kind, address=self._address_digest(address), hour=hour, now=now,
            ))
            count = cr.fetchone()[0]
        if count <= limit:
            return 0
        return int((hour + timedelta(hours=1) - now).total_seconds()) + 1

    @api.model
    def _limits(self):
        """``{kind: requests per address and hour}``; add-ons add the kinds of their own pages."""
        return LIMITS

    @api.model
    def _limit(self, kind):
        # sudo: a number, no secret; visitors obey it
        value = self.env["ir.config_parameter"].sudo().get_param(f"channel_member.portal_limit_{kind}") or ""
        return int(value) if value.isdecimal() else self._limits()[kind]

    @api.model
    def _address_digest(self, address):
        """Keyed digest of the address; of IPv6 the network, since one client has all addresses of it."""
        try:
            ip = ipaddress.ip_address(address)
            if ip.version == 6:
                ip = ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False).network_address
        except ValueError:
            ip = address
        # sudo: the database's secret stays in the digest
        secret = self.env["ir.config_parameter"].sudo().get_param("database.secret") or ""
        return hmac.new(secret.encode(), str(ip).encode(), hashlib.sha256).hexdigest()[:32]
