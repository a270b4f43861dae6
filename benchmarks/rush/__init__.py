"""The members' pages while everyone has just got a letter."""
