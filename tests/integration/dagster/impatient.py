"""The code location of a test that kills its services: all definitions, of which one looks for lost runs every second.

As they are it looks every half a minute, which the test would sit out; that and nothing else differs.
"""

from __future__ import annotations

from gtm_pipelines.defs.composition import compose
from gtm_pipelines.defs.sensors import housekeeping

housekeeping.lost_runs._min_interval = 1
defs = compose()
