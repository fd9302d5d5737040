"""Settings of a command, each with the place it came from."""

from algotrade.config.file import masked
from algotrade.config.settings import Settings, default_settings, find_project_file, load_settings

__all__ = ["Settings", "default_settings", "find_project_file", "load_settings", "masked"]
