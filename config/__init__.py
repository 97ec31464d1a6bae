"""Configuration: environment readers, settings, routes, the WSGI entry."""
