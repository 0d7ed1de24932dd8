from . import channel_gate_override
from . import channel_import_line
