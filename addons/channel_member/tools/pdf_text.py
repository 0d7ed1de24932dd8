"""The text layer of one PDF, read in a process of its own.

A file that a stranger uploads may be made to loop or to unpack into gigabytes. This program is therefore run by
:meth:`channel.document.reader._reader_text_layer` outside of the server, with limits of time and memory that the
operating system keeps; whatever happens to it, the server goes on.

Usage: ``python -I pdf_text.py MAX_PAGES MAX_CHARACTERS SECONDS MEGABYTES LIBRARY_PATH...``, the file on standard
input. On standard output one JSON object ``{"pages": int, "text": str, "error": null or code}``; codes are
``encrypted`` (a password is needed) and ``broken`` (not a PDF that can be read).
"""

import io
import json
import logging
import sys


def limit(seconds, megabytes):
    """Let the operating system end this process when it asks for more than its share."""
    try:
        import resource
    except ImportError:  # not Unix: the caller's timeout is the only limit
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def read(content, max_pages, max_characters):
    """:return: what the module's docstring says, as a dict"""
    try:
        import pypdf
    except ImportError:
        import PyPDF2 as pypdf  # its older name, with the same interface

    logging.disable(logging.CRITICAL)
    result = {"pages": 0, "text": "", "error": None}
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return {**result, "error": "encrypted"}
        result["pages"] = len(reader.pages)
        for index in range(min(result["pages"], max_pages)):
            result["text"] += reader.pages[index].extract_text() + "\n"
            if len(result["text"]) >= max_characters:
                break
    except MemoryError:
        raise
    except Exception as error:
        # A broken file breaks the library anywhere; pages that were read before are kept. A cipher that the
        # library cannot do without a further package is a file that needs more than we have: as good as encrypted.
        if type(error).__name__ in ("DependencyError", "FileNotDecryptedError"):
            return {**result, "error": "encrypted"}
        if not result["text"].strip():
            return {**result, "error": "broken"}
    result["text"] = result["text"][:max_characters]
    return result


if __name__ == "__main__":
    pages, characters, cpu_seconds, memory = (int(argument) for argument in sys.argv[1:5])
    sys.path += sys.argv[5:]
    limit(cpu_seconds, memory)
    # ASCII: whatever encoding the standard output has, and lone surrogates of a broken font included
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), pages, characters)))
