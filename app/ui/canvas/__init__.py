"""The canvas view and one file per tool."""
