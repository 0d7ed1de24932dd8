"""XML-RPC answers that hold "no value".

The public methods of the suite answer null where there is nothing to say: a contract without an end, an audit journal
without a broken entry. Odoo's XML-RPC turns such an answer into a fault, while its JSON protocols let it pass. It goes
out as ``<nil/>``, the extension that Python's ``xmlrpc.client`` and the common libraries of other languages read; what
was answered before looks the same.
"""

from odoo.addons.rpc.controllers.xmlrpc import OdooMarshaller


def _dump_nil(marshaller, value, write):
    write("<value><nil/></value>\n")


# By type and for the whole process: a request is dispatched before its database, and with it its add-ons, are known.
OdooMarshaller.dispatch[type(None)] = _dump_nil
