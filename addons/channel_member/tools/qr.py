"""QR codes for printed pages."""

import base64

from reportlab.graphics.barcode.qr import QrCodeWidget


def qr_image(text):
    """A text as a QR code: the ``src`` of an image.

    Drawn as one path, sharp at any size, and needs no raster backend on the server.
    """
    widget = QrCodeWidget(text, barLevel="M")
    widget.draw()
    size = widget.qr.getModuleCount()
    path = "".join(
        f"M{column},{row}h1v1h-1z" for row in range(size) for column in range(size) if widget.qr.isDark(row, column)
    )
    image = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {size + 8} {size + 8}" width="400" height="400">'
        f'<rect x="-4" y="-4" width="100%" height="100%" fill="#fff"/>'
        f'<path shape-rendering="crispEdges" d="{path}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(image.encode()).decode()}"
