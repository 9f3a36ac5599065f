"""How much a trace may ask for; web and worker check the same numbers."""

MAX_STEPS = 512
MAX_NEURONS = 64
MAX_ABS = 1000.0  # of a stimulus value or current
MAX_WAITING = 2
