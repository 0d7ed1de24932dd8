"""One text for one value: the JSON from which the audit journal computes its digests."""

import datetime
import decimal
import hashlib
import json

#: Version of the format. It stands in front of every digest, so that a later format can be told from this one.
FORMAT = "1"


def canonical_json(value):
    """Return the only text by which ``value`` is written.

    Keys sorted, no spaces, UTF-8 kept as it is, dates as ISO 8601, date-times as ISO 8601 in UTC (Odoo's
    naive values are UTC), decimals as text, records as ``[[id, name], ...]``, sets sorted.

    :param value: anything made of dicts, lists, texts, numbers, booleans, dates, records, ``None``
    :raise TypeError: for a value without a canonical text (bytes, objects)
    :raise ValueError: for NaN and infinities, which JSON does not know
    """
    return json.dumps(
        _plain(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def digest(text):
    """Return the versioned SHA-256 digest of a text: ``$1$`` and 64 hexadecimal digits."""
    return f"${FORMAT}${hashlib.sha256(text.encode()).hexdigest()}"


def _plain(value):
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            # str() also turns lazy translations and subclasses (Markup) into plain text
            return str(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted((_plain(item) for item in value), key=canonical_json)
        case datetime.datetime():
            if value.tzinfo:
                value = value.astimezone(datetime.UTC).replace(tzinfo=None)
            return value.isoformat() + "Z"
        case datetime.date():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
    if hasattr(value, "_fields") and hasattr(value, "ids"):
        return [[record.id, record.display_name] for record in value]
    raise TypeError(f"A {type(value).__name__} has no canonical text: {value!r}")
