"""Another exchange gives a word for a code: an order that should only make would take."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth
from demo.lab.faults._lines import keep_failing


def strike(desk: Breaker) -> None:
    """Write what its client logs."""
    last = 'OSError: HTTP status is 400. Error: {"label":"POC_FILL_IMMEDIATELY","message":"It will fill immediately"}'
    keep_failing(desk, last)


FAULT = Fault(
    name="label-for-a-code",
    story="Another exchange gives a word for a code: an order that should only make would take.",
    truth=Truth("order_rejected", tolerated=("soft_pause",)),
    strike=strike,
)
