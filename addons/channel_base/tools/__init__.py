from . import gate
from . import xmlrpc_nil
