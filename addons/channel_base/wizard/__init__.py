from . import channel_gate_override
