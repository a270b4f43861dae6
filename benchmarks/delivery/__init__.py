"""Delivery measured: one digest to many members, beside Postfix's own load generator and the ordinary way in Python."""
