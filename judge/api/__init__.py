"""Routers under /api/v1 and the typed client."""
