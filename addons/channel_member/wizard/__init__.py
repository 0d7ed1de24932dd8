from . import channel_member_decision
