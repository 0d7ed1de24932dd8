"""A small certification authority for tests: a root, a seal certificate, a time stamp service, a revocation list."""

import base64
from datetime import UTC, datetime, timedelta
from io import BytesIO

from asn1crypto import keys, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

DAY = timedelta(days=1)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem64(thing):
    """A certificate or a private key as Odoo stores files: PEM in base64."""
    if isinstance(thing, x509.Certificate):
        pem = thing.public_bytes(serialization.Encoding.PEM)
    else:
        pem = thing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    return base64.b64encode(pem)


def pdf(text):
    """A page with a text."""
    output = BytesIO()
    canvas = Canvas(output)
    canvas.drawString(72, 720, text)
    canvas.showPage()
    canvas.save()
    return output.getvalue()


class Authority:
    """Issues certificates from a root of its own."""

    def __init__(self, name="Test Root"):
        self.name = name
        self.now = datetime.now(UTC)
        self.key = self._key()
        self.root = self._certificate(name, self.key, authority=True)

    def issue(self, name, start=-1, end=365):
        """:return: certificate and key for signatures, valid from ``start`` to ``end`` days from now"""
        key = self._key()
        return self._certificate(name, key, start=start, end=end), key

    def stamper(self):
        """:return: a pyHanko time stamper that needs no network"""
        key = self._key()
        certificate = self._certificate("Test Time Stamps", key, usage=ExtendedKeyUsageOID.TIME_STAMPING)
        return DummyTimeStamper(
            asn1_x509.Certificate.load(der(certificate)),
            keys.PrivateKeyInfo.load(
                key.private_bytes(
                    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            ),
            certs_to_embed=SimpleCertificateStore(),
        )

    def revocations(self):
        """:return: DER of a list of revoked certificates, on which none stands"""
        return der(
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name(self.name))
            .last_update(self.now - DAY)
            .next_update(self.now + 30 * DAY)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(1), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    @staticmethod
    def _key():
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @staticmethod
    def _name(name):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def _certificate(self, name, key, authority=False, usage=None, start=-1, end=365):
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name(name))
            .issuer_name(self._name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + start * DAY)
            .not_valid_after(self.now + end * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    content_commitment=not authority and not usage,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not authority:
            place = x509.UniformResourceIdentifier("http://authority.example.com/revoked.crl")
            builder = builder.add_extension(
                x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)]), critical=False
            )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return builder.sign(self.key, hashes.SHA256())
