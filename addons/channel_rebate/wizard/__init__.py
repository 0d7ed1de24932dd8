from . import channel_rebate_statement_wizard
