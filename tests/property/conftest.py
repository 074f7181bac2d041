"""How long the laws are tried: shortly, and always on the same stories, unless POINTSMAN_HYPOTHESIS says `large`."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("small", max_examples=60, deadline=None, derandomize=True)
settings.register_profile(
    "large", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("POINTSMAN_HYPOTHESIS", "small"))
