"""config.toml as frozen values: `load` reads it, `Settings` is the whole, and each section's file holds its classes."""

from mailer.config.reading import load
from mailer.config.settings import Settings

__all__ = ["Settings", "load"]
