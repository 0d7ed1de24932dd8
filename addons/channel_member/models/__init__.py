from . import channel_authorization
from . import channel_device_category
from . import channel_gate
from . import channel_hospital_grade
from . import channel_qualification
from . import channel_qualification_type
from . import product_template
from . import res_partner
