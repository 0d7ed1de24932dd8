from . import channel_signature_provider
from . import test_channel_document
from . import test_channel_document_version
from . import test_channel_document_line
from . import test_channel_request
from . import test_channel_scope
