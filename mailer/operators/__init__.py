"""Operators: who asks for a letter to go out, who approves it, and for how long they may take that back."""
