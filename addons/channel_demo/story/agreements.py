"""Contracts in all their stages: a clause library, one signed by both sides and sealed, one out for signature, one
amended clause by clause, one that ends soon.

The certificate of the seal is made here, from a root that nobody knows: it proves that a file was not changed, and
nothing about who made it. Texts are examples, not advice.
"""

import base64
import http.server
import io
import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from dateutil.relativedelta import relativedelta
from PIL import Image, ImageDraw

from odoo import Command

from . import calendar
from .clauses import CATEGORIES, CLAUSES
from .common import name_record, ref

_logger = logging.getLogger(__name__)


def run(env):
    template = _library(env)
    kind = _type(env, template)
    _amended(env)
    _ends_soon(env)
    if env["ir.actions.report"].get_wkhtmltopdf_state() == "install":
        # What is signed is a PDF
        _logger.info("No wkhtmltopdf on this machine: the story goes on without contracts for signature.")
        return
    _seal(env)
    with _style_server(env):
        _signed(env, template)
        _out_for_signature(env, kind)


# === LIBRARY === #

def _library(env):
    writer, manager = ref(env, "user_contract"), ref(env, "user_manager")
    categories = {}
    for place, (key, name, name_zh) in enumerate(CATEGORIES, start=1):
        category = env["channel.clause.category"].create({"name": name, "sequence": 10 * place})
        category.with_context(lang="zh_CN").name = name_zh
        categories[key] = category
    for place, facts in enumerate(CLAUSES, start=1):
        clause = env["channel.clause"].with_user(writer).create({
            "name": facts["en"][0],
            "code": facts["code"],
            "category_id": categories[facts["category"]].id,
            "sequence": 10 * place,
        })
        clause.with_context(lang="zh_CN").name = facts["zh"][0]
        clause.action_new_version()
        version = clause.version_ids
        version.write({
            "valid_from": calendar.first_day(),
            "purpose": "First text",
            "guidance": facts.get("guidance", False),
            "text_ids": [Command.clear(), *(
                Command.create({
                    "lang": lang, "rank": rank, "level": level, "title": text[0], "body": f"<p>{text[1]}</p>",
                })
                for lang, rank, level, text in _texts(facts)
            )],
        })
        version.with_user(manager).action_approve()
        name_record(env, f"clause_{facts['code'].lower()}", clause.sudo())
    clauses = env["channel.clause"].search([("code", "in", [facts["code"] for facts in CLAUSES])], order="sequence")
    template = env["channel.contract.template"].with_user(writer).create({
        "name": "Distribution of medical devices, long form",
        "note": "For dealers of all tiers; with sections, in Chinese, English beside it where asked for.",
        "line_ids": [
            Command.create({"sequence": 10 * place, "clause_id": clause.id, "category_id": clause.category_id.id})
            for place, clause in enumerate(clauses, start=1)
        ],
    })
    template.with_context(lang="zh_CN").name = "医疗器械经销合同（完整版）"
    name_record(env, "contract_template", template.sudo())
    return template


def _texts(facts):
    yield "en_US", 0, 1, facts["en"]
    yield "zh_CN", 0, 1, facts["zh"]
    if "fallback_en" in facts:
        yield "en_US", 1, facts["level"], facts["fallback_en"]
        yield "zh_CN", 1, facts["level"], facts["fallback_zh"]


def _type(env, template):
    """Signed electronically, a year at a time. The types that come with the add-on stay as they are."""
    kind = env["channel.contract.type"].create({
        "name": "Key Distribution",
        "code": "key_distribution",
        "sequence": 60,
        "term_months": 12,
        "renewal": "agreement",
        "notice_days": 60,
        "expiring_days": 90,
        "tolerance": 5.0,
        "template_id": template.id,
        "signature_required": True,
        "quality_required": True,
        "approval_hint": "Fallback texts of payment and liability: ask Finance before you submit.",
    })
    kind.with_context(lang="zh_CN").name = "重点经销合同"
    return name_record(env, "contract_type_key", kind)


# === VERSIONS === #

def _next_version(env, code, **values):
    """The writer opens the next version of a dealer's agreement."""
    contract = ref(env, f"contract_{code}").with_user(ref(env, "user_contract"))
    contract.action_new_version()
    draft = contract.version_ids.filtered(lambda version: version.state == "draft")
    draft.write({"valid_from": _first_free_day(env, contract.member_id), **values})
    return draft


def _first_free_day(env, dealer):
    """Today, or the day after a dealer's last document: what a version governs anew needs approvals of its own."""
    today = env.company._channel_today()
    last = env["account.move"].search([
        ("commercial_partner_id", "=", dealer.id), ("state", "=", "posted"), ("invoice_date", ">=", today),
    ], order="invoice_date desc", limit=1).invoice_date
    return last + relativedelta(days=1) if last else today


def _amended(env):
    """Of the clauses one reads otherwise, one is new and one is gone."""
    draft = _next_version(env, "D006", purpose="Consignment stock in two hospitals, territory in plain words")
    territory = draft.clause_ids.filtered(lambda line: line.title == "Territory")
    dropped = draft.clause_ids.filtered(lambda line: line.title == "Subject")
    draft.write({"clause_ids": [
        Command.update(territory.id, {
            "body": "<p>Orders are for hospitals inside the authorised territory. Others need a written consent, which "
            "holds for one order.</p>",
        }),
        Command.delete(dropped.id),
        Command.create({
            "sequence": 60,
            "title": "Consignment stock",
            "body": "<p>Devices on consignment belong to the company until they are used; the dealer reports what was "
            "used by lot, at the latest on the fifth working day of the next month.</p>",
        }),
    ]})
    draft.with_user(ref(env, "user_manager")).action_approve()
    name_record(env, "contract_version_amended", draft.sudo())


def _ends_soon(env):
    draft = _next_version(
        env, "D005",
        purpose="Until the tender of the province is decided",
        valid_to=env.company._channel_today() + relativedelta(days=40),
        renewal="agreement",
        notice_days=30,
    )
    draft.with_user(ref(env, "user_manager")).action_approve()
    name_record(env, "contract_version_ending", draft.sudo())


# === SIGNATURE === #

class _NoStyle(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802  (the name is the library's)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):  # pylint: disable=method-required-super
        """Says nothing: nobody asked for these pages."""


@contextmanager
def _style_server(env):
    """Answer what printing asks Odoo for (style sheets), since no Odoo is served while add-ons are installed."""
    server = http.server.HTTPServer(("127.0.0.1", 0), _NoStyle)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parameters = env["ir.config_parameter"].sudo()  # the installer's, who has all rights anyway
    try:
        parameters.set_param("report.url", f"http://127.0.0.1:{server.server_port}")
        yield
    finally:
        server.shutdown()
        server.server_close()
    parameters.set_param("report.url", False)


def _seal(env):
    """A root and a certificate below it, for three years: only their bytes are genuine."""
    now = datetime.now(UTC)
    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _each in range(2))
    root_name = _name("Demonstration Root (no legal force)")
    root = _certificate(root_name, root_name, root_key, root_key, now, authority=True)
    seal = _certificate(_name("Huachen Medical (Shanghai) - demonstration seal"), root_name, key, root_key, now)
    company = env.company
    keys = env["certificate.key"].create({
        "name": "Demonstration seal",
        "company_id": company.id,
        "content": base64.b64encode(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )),
    })
    Certificate = env["certificate.certificate"]
    company.write({
        "channel_seal_certificate_id": Certificate.create({
            "name": "Demonstration seal", "company_id": company.id, "content": _pem(seal), "private_key_id": keys.id,
        }).id,
        "channel_seal_chain_ids": [Command.set(Certificate.create({
            "name": "Demonstration root", "company_id": company.id, "content": _pem(root),
        }).ids)],
    })


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(name, issuer, key, issuer_key, now, authority=False):
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3 * 365))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority, content_commitment=not authority, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=authority, crl_sign=authority,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _ours(env, sequence):
    return Command.create({
        "side": "ours", "sequence": sequence, "user_id": ref(env, "user_executive").id, "role": "General Manager",
    })


def _signed(env, template):
    """The next agreement with Jinan: clauses of the library in both languages, two signatures, a seal."""
    dealer = ref(env, "dealer_D002")
    person = env["res.partner"].create({
        "name": "Sun Baotu", "parent_id": dealer.id, "email": "sun.baotu@dealer.example.com", "lang": "zh_CN",
        "function": "Legal Representative",
    })
    ref(env, "contract_D002").with_user(ref(env, "user_contract")).signature_required = True
    draft = _next_version(
        env, "D002",
        purpose="Agreement of the new year, on the texts of the library",
        valid_to=env.company._channel_today() + relativedelta(years=2, days=-1),
        renewal="agreement",
        notice_days=60,
        payment_term_id=env.ref("account.account_payment_term_45days").id,
        member_signatory="Sun Baotu, Legal Representative",
        quality_form="clause",
        quality_note="The company: documents and complaints. The dealer: storage, transport, records by lot.",
        has_credit_limit=True,
        credit_limit=2000000.0,
        signatory_ids=[
            Command.create({
                "side": "theirs", "sequence": 1, "partner_id": person.id, "role": "Legal Representative",
            }),
            _ours(env, 2),
        ],
    )
    draft.write({"lang": "en_US", "second_lang": "zh_CN", "clause_ids": [Command.clear()], "commitment_ids": [
        Command.clear(),
        Command.create({"name": "All devices", "period": "year", "amount": 900000.0, "tolerance": 5.0}),
        Command.create({
            "name": "Cardiovascular devices", "sequence": 20, "measure": "quantity", "quantity": 120,
            "period": "quarter", "basis": "ordered",
            "product_categ_id": env["product.category"].search([("name", "=", "Cardiovascular")], limit=1).id,
        }),
        Command.create({
            "name": "Volume of the tender", "sequence": 30, "amount": 60000.0, "period": "year", "basis": "delivered",
            "customer_id": ref(env, "hospital_370000_000").id, "is_tender_volume": True,
            "award_reference": ref(env, "price_limit_award").reference,
        }),
    ]})
    draft._apply_template(template)
    draft.with_user(ref(env, "user_manager")).action_approve()
    draft.action_send_for_signature()
    for signatory, method in zip(draft.signatory_ids.sorted("sequence"), ("portal", "backend"), strict=True):
        # The people of the story have no mailbox: the code that would be mailed to them is left out.
        signatory.sudo()._sign({
            "method": method,
            "typed_name": signatory.name,
            "signature": _signature(signatory.sequence),
            "consent_text": env.company.channel_signature_consent,
            "consent_version": env.company.channel_signature_consent_version,
        })
    name_record(env, "contract_version_sealed", draft.sudo())
    if draft.signature_state != "signed" or not draft.sudo().sealed_id:
        raise AssertionError(f"The signed contract has no seal: {draft.sudo().seal_problem}")


def _signature(seed):
    """A squiggle such as a finger leaves on a telephone."""
    image = Image.new("RGBA", (360, 120), (255, 255, 255, 0))
    points = [(20 + 8 * step, 60 + ((step * (7 + seed)) % 11 - 5) * (8 - step % 5)) for step in range(40)]
    ImageDraw.Draw(image).line(points, fill=(20, 30, 90, 255), width=4, joint="curve")
    output = io.BytesIO()
    image.save(output, "PNG")
    return base64.b64encode(output.getvalue()).decode()


def _out_for_signature(env, kind):
    """A first key agreement, at the dealer's portal user: nothing of it holds before both have signed."""
    writer = ref(env, "user_contract")
    contract = env["channel.contract"].with_user(writer).create({
        "title": "Key distribution agreement Beijing Ruikang",
        "member_id": ref(env, "dealer_D004").id,
        "company_id": env.company.id,
        "type_id": kind.id,
    })
    contract.action_new_version()
    draft = contract.version_ids
    draft.write({
        "purpose": "Key dealer of North China",
        "valid_from": _first_free_day(env, contract.member_id),
        "pricelist_id": ref(env, "price_table").id,
        "payment_term_id": env.ref("account.account_payment_term_30days").id,
        "company_signatory": "Zong Jingli, General Manager",
        "member_signatory": "Wang Ruikang, General Manager",
        "quality_form": "clause",
        "quality_note": "As in the clause on quality.",
        "commitment_ids": [Command.create({"name": "All devices", "period": "year", "amount": 800000.0})],
        "signatory_ids": [
            Command.create({
                "side": "theirs", "sequence": 1, "partner_id": ref(env, "user_dealer2").partner_id.id,
                "role": "General Manager",
            }),
            _ours(env, 2),
        ],
    })
    draft.with_user(ref(env, "user_manager")).action_approve()
    draft.action_send_for_signature()
    name_record(env, "contract_key_D004", contract.sudo())
    name_record(env, "contract_version_unsigned", draft.sudo())
