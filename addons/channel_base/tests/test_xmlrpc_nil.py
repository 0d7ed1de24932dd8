import xmlrpc.client

from odoo.tests import TransactionCase

from odoo.addons.rpc.controllers.xmlrpc import dumps


class TestXmlrpcNil(TransactionCase):
    def test_no_value_survives(self):
        """An answer with null in it arrives as it was given, at the top and below."""
        for answer in (None, {"valid_to": None, "number": 2}, [1, None, "x", False]):
            (received,), _method = xmlrpc.client.loads(dumps((answer,)))
            self.assertEqual(received, answer)
