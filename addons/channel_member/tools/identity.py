"""What two companies have in common, made comparable: numbers, accounts, addresses, names."""

import hashlib
import re
import unicodedata

#: Shorter numbers ("/", "N/A", "0000") are no numbers.
SHORTEST_NUMBER = 5
_NOT_WORD = re.compile(r"[\W_]+")


def compared(text):
    """Return a text without what people write differently: width, case, spaces, punctuation."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text or "").casefold())


def number_key(number):
    """Return the key of an identification or account number, empty when it is none."""
    key = compared(number)
    return key if len(key) >= SHORTEST_NUMBER and key.strip("0") else ""


def address_key(country_id, city, *streets):
    """Return the key of an address, empty without a street."""
    street = compared("".join(street or "" for street in streets))
    return f"{country_id or 0}/{compared(city)}/{street}" if street else ""


def digest(kind, key):
    """Return what is stored in place of a key: equal for equal keys, and says nothing about the number itself."""
    return hashlib.sha256(f"{kind}\0{key}".encode()).hexdigest()
