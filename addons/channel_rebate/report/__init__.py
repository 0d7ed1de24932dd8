from . import channel_rebate_statement
