"""Own inputs in, Evidence out: metrics, probes, curves, traffic."""
