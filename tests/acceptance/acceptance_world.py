"""The served story as the acceptance tests meet it: who may be which client, and how values are read and written."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

from acceptance_clients import Json2, JsonRpc, Pages, XmlRpc

#: One day for all documents, so that a run over midnight, or over the end of a quarter, stays in one window.
TODAY = datetime.now(UTC).date()
#: Tells apart what two runs make in one database.
TAG = uuid.uuid4().hex[:6]


def exact(number):
    """A number as its client got it, without the tolerance that comparing floats would need."""
    return Decimal(repr(number))


def iso(day):
    return day.isoformat()


def years_before(day, years):
    # A licence given on 29 February runs out on 28 February: no rule of the suite hangs on which it is.
    return date(day.year - years, day.month, min(day.day, 28))


class World:
    """The served Odoo: a client for each role, and the external ids of the story."""

    def __init__(self, served):
        self.served = served
        self._clients = {}
        self._logins = {row["login"]: row["password"] for row in served.logins}

    def _client(self, kind, login, make):
        if (kind, login) not in self._clients:
            self._clients[kind, login] = make()
        return self._clients[kind, login]

    def json(self, login):
        """:return: the :class:`JsonRpc` client of a person"""
        served, password = self.served, self._logins[login]
        return self._client("json", login, lambda: JsonRpc(served.url, served.db, login, password))

    def xml(self, login):
        """:return: the :class:`XmlRpc` client of a person"""
        served, password = self.served, self._logins[login]
        return self._client("xml", login, lambda: XmlRpc(served.url, served.db, login, password))

    def json2(self, login):
        """:return: the :class:`Json2` client of a person, with an API key of the own"""
        served = self.served
        return self._client(
            "json2", login, lambda: Json2(served.url, served.db, self.json(login).new_api_key(f"Acceptance {TAG}"))
        )

    def pages(self, login=None):
        """:return: the :class:`Pages` of a person, or of a visitor"""
        served, password = self.served, self._logins.get(login)
        return self._client("pages", login, lambda: Pages(served.url, login, password))

    def ref(self, xmlid):
        """:return: the database id behind an external id"""
        module, name = xmlid.split(".")
        [row] = self.json("admin").call(
            "ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], ["res_id"]
        )
        return row["res_id"]


def read(client, model, ids, *names):
    """:return: values of the named fields of one record, or a list of them for several"""
    rows = client.call(model, "read", [ids] if isinstance(ids, int) else ids, list(names))
    return SimpleNamespace(**rows[0]) if isinstance(ids, int) else [SimpleNamespace(**row) for row in rows]
