from . import document_match
from . import gate
from . import import_plan
from . import table_file
from . import xmlrpc_nil
