"""The controlled alert test: a marked alert goes the whole way, and each hop is timed."""
