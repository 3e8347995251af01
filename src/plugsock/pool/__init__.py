"""Feeds workers: starts processes, hands out calls among them, watches them, and replaces them."""
