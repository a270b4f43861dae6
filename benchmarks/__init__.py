"""What this product claims about speed, measured."""
