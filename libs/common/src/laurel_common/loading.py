"""Imported before everything else by whatever starts as a process of its own.

Nothing of what a thousand modules bring in is garbage. By default the collector looks for some
after every 700 objects all the same, which is a sixth of a service's start.
"""

import gc

gc.set_threshold(200_000, 20, 20)
