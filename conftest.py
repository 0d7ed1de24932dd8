"""What holds for all tests of the repository, inside Odoo's process and outside."""

from hypothesis import HealthCheck, settings

# A machine that is busy with other parts of the run is no fault of what is tested.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
