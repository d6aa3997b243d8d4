"""Qt's plugins, without those that are left out: dropped here, before PyInstaller follows what they are linked to.

Left out only afterwards, the theme of GTK would still bring GTK's libraries along wherever these are installed.
"""

from pathlib import PurePath

from contents import left_out
from PyInstaller.utils.hooks.qt import add_qt6_dependencies

hiddenimports, found, datas = add_qt6_dependencies(__file__)
binaries = [(source, folder) for source, folder in found if not left_out(f"{folder}/{PurePath(source).name}")]
