"""Three real clients of a served Odoo, which answer to the same two names: `call` and, for errors, `Refused`.

Each stands for one person: it logs in with that person's own password or API key, and everything it does is bound by
that person's rights. A fourth one, `Pages`, sees the pages as a browser gets them.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
import xmlrpc.client
from http.cookiejar import CookieJar
from types import SimpleNamespace
from urllib.parse import urlsplit

import odoorpc


class Refused(Exception):  # noqa: N818 (a refusal is what the tests want)
    """Odoo said no. `kind` is the exception's class there, or what the protocol tells of it; `str` its message."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class JsonRpc:
    """JSON-RPC by way of `odoorpc`."""

    def __init__(self, url, db, login, password):
        place = urlsplit(url)
        self.odoo = odoorpc.ODOO(place.hostname, port=place.port, timeout=120)
        self.odoo.login(db, login, password)
        self.uid = self.odoo.env.uid
        self._session = {"db": db, "login": login, "password": password}

    def call(self, model, method, *args, **kwargs):
        try:
            return self.odoo.execute_kw(model, method, list(args), kwargs)
        except odoorpc.error.RPCError as error:
            raise Refused(error.info["data"]["name"].rpartition(".")[2], str(error)) from error

    def new_api_key(self, name):
        """Make an API key as the person's own preferences do: in a session, behind a check of the password.

        :return: the key, valid for a day
        """
        self.odoo.json("/web/session/authenticate", self._session)

        def press(model, method, *args, **kwargs):
            answer = self.odoo.json(
                f"/web/dataset/call_kw/{model}/{method}",
                {"model": model, "method": method, "args": args, "kwargs": kwargs},
            )
            return answer["result"]

        [wizard] = press("res.users.apikeys.description", "create", [{"name": name, "duration": "1"}])
        check = press("res.users.apikeys.description", "make_key", [wizard])
        shown = press(
            check["res_model"], "run_check", [check["res_id"]], context={"password": self._session["password"]}
        )
        return shown["context"]["default_key"]


class XmlRpc:
    """XML-RPC by way of the standard library's `xmlrpc.client`."""

    #: Odoo tells the class of an exception by the number of the fault.
    KINDS = {2: "UserError", 3: "AccessDenied", 4: "AccessError"}

    def __init__(self, url, db, login, password):
        self.credentials = db, xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common").authenticate(
            db, login, password, {}
        ), password
        self.uid = self.credentials[1]
        self.models = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object", allow_none=True)

    def call(self, model, method, *args, **kwargs):
        try:
            return self.models.execute_kw(*self.credentials, model, method, list(args), kwargs)
        except xmlrpc.client.Fault as fault:
            raise Refused(self.KINDS.get(fault.faultCode, "Fault"), fault.faultString) from fault


class Json2:
    """JSON-2 with an API key: `POST /json/2/MODEL/METHOD`, named arguments only."""

    def __init__(self, url, db, key):
        self.url = url
        self.headers = {
            "Authorization": f"bearer {key}",
            "Content-Type": "application/json",
            "X-Odoo-Database": db,
        }

    def call(self, model, method, **named):
        request = urllib.request.Request(
            f"{self.url}/json/2/{model}/{method}", data=json.dumps(named).encode(), headers=self.headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = json.load(error)
            raise Refused(said["name"].rpartition(".")[2], said["message"]) from error


class Pages:
    """A person before the pages, logged in or (without a login) a visitor; redirects are shown, not followed."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args):
            return None

    def __init__(self, url, login=None, password=None):
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), self._Stay)
        if login:
            answer = self.post("/web/login", {"login": login, "password": password}, page="/web/login")
            assert answer.status == 303, f"{login} could not log in"

    def get(self, path):
        """:return: what came: ``status``, ``headers``, ``content`` (bytes) and ``text``"""
        return self._open(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path, form, page, file=None):
        """Send a form as a browser does: with the token of a page of the same session.

        :param file: content of the form's field ``file``
        """
        token = re.search(r'csrf_token"? ?(?:value=|:) ?"([^"]+)"', self.get(page).text)[1]
        form = {**form, "csrf_token": token}
        if file is None:
            return self._open(urllib.request.Request(f"{self.url}{path}", data=urllib.parse.urlencode(form).encode()))
        border = uuid.uuid4().hex
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                 for name, value in form.items()]
        parts.append(f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="file.pdf"\r\n'
                     "Content-Type: application/pdf\r\n\r\n".encode() + file + f"\r\n--{border}--\r\n".encode())
        return self._open(urllib.request.Request(
            f"{self.url}{path}", data=b"".join(parts),
            headers={"Content-Type": f"multipart/form-data; boundary={border}"},
        ))

    def _open(self, request):
        try:
            answer = self._opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content = answer.read()
            return SimpleNamespace(
                status=answer.status, headers=answer.headers, content=content, text=content.decode(errors="replace")
            )
