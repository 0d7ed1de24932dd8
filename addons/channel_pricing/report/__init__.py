from . import channel_price_consistency
