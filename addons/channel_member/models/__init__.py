from . import channel_hospital_grade
from . import channel_device_category
from . import channel_qualification_type
from . import channel_qualification
from . import product_template
from . import res_partner
