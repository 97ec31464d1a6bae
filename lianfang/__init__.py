"""Lianfang 聯防: membership of a CERT alliance and exchange of intelligence under its charter."""
