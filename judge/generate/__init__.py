"""Example x Arm in, Output out."""
