"""What forms of the portal that take files share; the files are kept by ``channel.portal.files.mixin``."""

from odoo.exceptions import UserError
from odoo.http import request

#: Files that one form takes, and what it has beside them, in bytes
MAX_FILES = 5
FORM_BYTES = 256 * 1024


def upload_bytes(_controller):
    """Size of the largest request of such a form that can be in order: a route's ``max_content_length``."""
    return MAX_FILES * request.env["channel.qualification"]._upload_limits()["max_bytes"] + FORM_BYTES


def upload_limits():
    """What the form tells about its files: ``max_mb``, ``max_bytes``, ``mimetypes``, ``kinds``, ``max_files``."""
    return {**request.env["channel.qualification"]._upload_limits(), "max_files": MAX_FILES}


def sent_files():
    """The files of the field ``files``: ``[(name, content in bytes)]``.

    :raise UserError: more than a form takes
    """
    uploads = [file for file in request.httprequest.files.getlist("files") if file and file.filename]
    if len(uploads) > MAX_FILES:
        raise UserError(request.env._(
            "Files: %(count)s were chosen, at most %(limit)s are taken. Put pages together in one PDF.",
            count=len(uploads), limit=MAX_FILES,
        ))
    return [(file.filename, file.read()) for file in uploads]
