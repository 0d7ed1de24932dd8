"""Numbers of the European Union and the United States that carry check characters python-stdnum does not know.

Each function takes the number without surrounding blanks and returns its parts as plain JSON values, or raises
:class:`MedicalNumberError` with the code of a reason.
"""

import re

# GS1 General Specifications, Global Model Number: the 82 characters in the order of their values, the primes that
# weigh them from the right, and the 32 characters of a check pair. HIBC uses the same computation.
CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
CHECK_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

HIBC = re.compile(r"\+\+(?P<labeler>[A-Z][A-Z0-9]{3})(?P<model>[A-Z0-9]{1,17})(?P<check>[0-9A-Z]{2})")
IFA = re.compile(r"PP(?P<labeler>\d{4,5})(?P<model>[0-9A-Z.]{1,16})(?P<check>\d{2})")
EUDAMED = re.compile(r"B-(?P<model>[0-9A-Za-z-]{4,48})")
GMN = re.compile(r"(?P<model>\d{5}[!-_a-z]{1,18})(?P<check>[0-9A-Z]{2})")


class MedicalNumberError(ValueError):
    """A number that nobody can have given; ``reason`` is a code for machines."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def check_pair(text):
    """Check characters of a Global Model Number or an HIBC Basic UDI-DI, modulo 1021 in digits of base 32.

    :raise KeyError: a character is not one of the 82
    """
    values = {character: value for value, character in enumerate(CHARACTERS)}
    total = sum(values[character] * prime for character, prime in zip(reversed(text), PRIMES, strict=False)) % 1021
    return CHECK_CHARACTERS[total >> 5] + CHECK_CHARACTERS[total & 31]


def parse_basic_udi_di(number):
    """Basic UDI-DI, Regulation (EU) 2017/745 annex VI part C: of GS1, HIBCC, IFA or EUDAMED itself.

    GS1 and HIBCC give two check characters, which are verified. Those of IFA are modulo 97 by a rule that its public
    pages do not state in full, and EUDAMED gives none: of these the form is checked.
    """
    agencies = (("hibcc", HIBC), ("ifa", IFA), ("eudamed", EUDAMED), ("gs1", GMN))
    matches = ((agency, pattern.fullmatch(number)) for agency, pattern in agencies)
    agency, match = next(((agency, match) for agency, match in matches if match), (None, None))
    if not agency:
        raise MedicalNumberError("format")
    parts = {name: value for name, value in match.groupdict().items() if name != "check"}
    if agency in ("gs1", "hibcc"):
        try:
            expected = check_pair(number[:-2])
        except KeyError:
            raise MedicalNumberError("format") from None
        if expected != match["check"]:
            raise MedicalNumberError("check_digit")
    return {"number": number, "agency": agency, **parts}


def parse_dea(number):
    """Registration number of the US Drug Enforcement Administration: two letters, six digits, a check digit.

    The second letter is the initial of the registrant or 9; the check digit is the last one of the sum of the digits
    1, 3, 5 and twice the digits 2, 4, 6.
    """
    number = number.upper()
    if not re.fullmatch(r"[A-Z][A-Z9]\d{7}", number):
        raise MedicalNumberError("format" if len(number) == 9 else "length")
    digits = [int(character) for character in number[2:]]
    if (sum(digits[:6:2]) + 2 * sum(digits[1:6:2])) % 10 != digits[6]:
        raise MedicalNumberError("check_digit")
    return {"number": number, "registrant_type": number[0]}
