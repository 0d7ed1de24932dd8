"""PAdES seals: put one on a PDF, and say what is left of it. Pure functions on bytes; pyHanko does the work."""

import logging
import re
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

from asn1crypto import cms, keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields as sign_fields, signers
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

_logger = logging.getLogger(__name__)

FIELD = "ChannelSeal"
#: Levels of PAdES, each with what the one before has: signature, time stamp, validation material.
LEVELS = ("b_b", "b_t", "b_lt")


@dataclass(frozen=True)
class Seal:
    """A sealed file: its level, and why it is not the level that was wanted."""

    content: bytes
    level: str
    problems: tuple = ()


@dataclass
class SealCheck:
    """What is left of a seal. ``intact``: not a byte differs from what was sealed."""

    found: bool = False
    intact: bool = False
    trusted: bool = False
    level: str | None = None
    signer: str | None = None
    fingerprint: str | None = None
    signed_at: datetime | None = None
    problems: list = field(default_factory=list)


def load_signer(certificate, key, others=()):
    """What seals, from DER: certificate, its key (PKCS#8), and the certificates above it to be embedded."""
    registry = SimpleCertificateStore()
    registry.register_multiple(x509.Certificate.load(der) for der in others)
    return signers.SimpleSigner(
        signing_cert=x509.Certificate.load(certificate),
        signing_key=keys.PrivateKeyInfo.load(key),
        cert_registry=registry,
    )


def seal(content, signer, *, name, reason, location=None, timestamper=None, validation_context=None):
    """Seal a PDF as its author, so that no later change is allowed, at the highest level that can be had now.

    A time stamp service or a source of validation material that does not answer lowers the level and is told in
    ``problems``; it never keeps the file from being sealed.

    :param bytes content: the file
    :param signer: from :func:`load_signer`
    :param timestamper: a pyHanko ``TimeStamper``, for level B-T
    :param validation_context: a function that returns a pyHanko ``ValidationContext`` with the trust roots, for B-LT;
        a context is used up by one attempt
    :return: :class:`Seal`
    :raise Exception: when not even a plain signature can be made
    """
    problems = []
    for level in reversed(LEVELS):
        if level == "b_lt" and not (timestamper and validation_context) or level == "b_t" and not timestamper:
            continue
        output = BytesIO()
        try:
            metadata = signers.PdfSignatureMetadata(
                field_name=FIELD,
                name=name,
                reason=reason,
                location=location,
                subfilter=sign_fields.SigSeedSubFilter.PADES,
                md_algorithm="sha256",
                certify=True,
                docmdp_permissions=sign_fields.MDPPerm.NO_CHANGES,
                embed_validation_info=level == "b_lt",
                validation_context=validation_context() if level == "b_lt" else None,
                # in the revision that is signed: not a byte of the file lies outside the signature
                dss_settings=DSSContentSettings(
                    include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
                ),
            )
            signers.PdfSigner(
                metadata, signer, timestamper=None if level == "b_b" else timestamper
            ).sign_pdf(IncrementalPdfFileWriter(BytesIO(content)), output=output)
        except Exception as error:
            # Whatever a service out there does must not lose what people have signed
            if level == "b_b":
                raise
            _logger.warning("Seal of level %s failed: %s", level, error)
            problems.append((level, f"{type(error).__name__}: {error}"))
            continue
        return Seal(output.getvalue(), level, tuple(problems))
    raise AssertionError("unreachable: the last level either returns or raises")


def check(content, trust_roots=()):
    """What is left of the seals of a file.

    A file with several signatures is as good as its worst one, and the last must cover the whole file. What
    pyHanko's validator does not look at, because it means nothing, is looked at as well: the filling of the
    container of the signature, in which bytes could be changed unnoticed.

    :param bytes content: a file, of anybody
    :param trust_roots: DER of the roots that are believed in; trusted is nothing without
    :return: :class:`SealCheck`
    """
    result = SealCheck()
    try:
        signatures = PdfFileReader(BytesIO(content)).embedded_regular_signatures
        if not signatures:
            result.problems.append("unsigned")
            return result
        result.found = True
        statuses = [_status(signature, trust_roots) for signature in signatures]
        last, status = signatures[-1], statuses[-1]
        stamp = status.timestamp_validity
        result.intact = (
            all(one.intact and one.valid and one.docmdp_ok is not False for one in statuses)
            and status.coverage == SignatureCoverageLevel.ENTIRE_FILE
            and all(_container_is_plain(content, signature) for signature in signatures)
            and (not stamp or stamp.intact and stamp.valid)
        )
        result.trusted = all(one.trusted for one in statuses)
        result.signer = last.signer_cert.subject.human_friendly
        result.fingerprint = last.signer_cert.sha256.hex()
        result.signed_at = stamp.timestamp if stamp else status.signer_reported_dt
        result.level = "b_b" if not stamp else "b_lt" if "/DSS" in last.reader.root else "b_t"
        if not result.intact:
            result.problems.append("changed")
        elif not result.trusted:
            result.problems.append("untrusted")
    except Exception as error:
        # A file of anybody, perhaps made to be unreadable: whatever a reader stumbles over, it is not what was sealed
        _logger.info("A seal could not be read: %s", error)
        result.intact = False
        result.problems.append("unreadable")
    return result


def _status(signature, trust_roots):
    """pyHanko's verdict at the time of the signature, when its certificate was valid."""
    moment = signature.self_reported_timestamp
    for stamp in extract_tst_data_iter(signature.signer_info, signed=False):
        moment = stamp["encap_content_info"]["content"].parsed["gen_time"].native
    return validate_pdf_signature(
        signature,
        ValidationContext(
            trust_roots=[x509.Certificate.load(der) for der in trust_roots],
            allow_fetching=False,
            moment=moment,
        ),
    )


def _container_is_plain(content, signature):
    """The hexadecimal text between the signed ranges is the signature and zeros, written the one usual way."""
    _start, first, second, _end = (int(number) for number in signature.byte_range)
    found = re.fullmatch(rb"<([0-9a-fA-F]*)>", content[first:second])
    if not found:
        return False
    text = found[1]
    raw = bytes.fromhex(text.decode())
    length = len(cms.ContentInfo.load(raw).dump())
    return text in (raw.hex().encode(), raw.hex().upper().encode()) and not raw[length:].strip(b"\0")
