"""The lab's own faults: one file each."""
