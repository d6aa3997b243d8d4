"""Measurements that are run by hand; what they say is kept where it is told."""
