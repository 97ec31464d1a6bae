"""The data of the demonstration: an invented alliance that lives through the charter, made by the real actions."""
