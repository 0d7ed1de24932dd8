"""Files as applicants upload them, made for tests."""

import io

from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

FONT = "STSong-Light"


def text_pdf(*pages):
    """A PDF with a text layer; a page is a list of lines. The font is one of Chinese, its text is real Unicode."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    output = io.BytesIO()
    paper = canvas.Canvas(output)
    for lines in pages:
        paper.setFont(FONT, 11)
        for index, line in enumerate(lines):
            paper.drawString(60, 790 - 18 * index, line)
        paper.showPage()
    paper.save()
    return output.getvalue()


def scanned_pdf():
    """A PDF whose only page is a picture."""
    output = io.BytesIO()
    paper = canvas.Canvas(output)
    paper.drawImage(ImageReader(io.BytesIO(picture())), 0, 0, 200, 200)
    paper.save()
    return output.getvalue()


def encrypted_pdf(password, *pages):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(text_pdf(*pages))))
    writer.encrypt(password, algorithm="AES-256")
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def picture(kind="JPEG", size=(40, 40)):
    output = io.BytesIO()
    Image.new("RGB", size, "white").save(output, kind)
    return output.getvalue()
