from . import channel_account_statement
