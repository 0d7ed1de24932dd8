from . import channel_cn_county_load
