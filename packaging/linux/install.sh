#!/bin/sh
# Installs Limner for the person who runs this, or anew over an older one: ./install.sh [FOLDER], ~/.local if none is named.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=${1:-$HOME/.local}
mkdir -p -- "$prefix"
prefix=$(CDPATH='' cd -- "$prefix" && pwd)
share=${XDG_DATA_HOME:-$HOME/.local/share}
program=$prefix/lib/limner

case $prefix in
*['"`$\%&|']*)
    echo "install.sh: a menu entry cannot start a program in a folder with \" \` \$ \\ % & or | in its name: $prefix" >&2
    exit 2
    ;;
esac
if [ -e "$program" ] && [ ! -x "$program/limner" ]; then
    echo "install.sh: $program is there and is not Limner; move it away, or name another folder: ./install.sh FOLDER" >&2
    exit 2
fi

# The new program is whole before the old one goes, and what a portable one has kept beside itself moves along.
rm -rf -- "$program.new"
mkdir -p -- "$prefix/lib" "$prefix/bin"
cp -R -- "$here/limner" "$program.new"
cp -- "$here/uninstall.sh" "$program.new/"
printf '%s\n%s\n' "$prefix" "$share" >"$program.new/installed-under"
for kept in limner-portable limner-data; do
    if [ -e "$program/$kept" ]; then
        mv -- "$program/$kept" "$program.new/"
    fi
done
rm -rf -- "$program"
mv -- "$program.new" "$program"
ln -sf -- "$program/limner" "$prefix/bin/limner"

mkdir -p -- "$share"
cp -R -- "$here/share/." "$share/"
sed "s|^Exec=limner|Exec=\"$program/limner\"|" "$here/share/applications/limner.desktop" >"$share/applications/limner.desktop"
if command -v update-desktop-database >/dev/null 2>&1; then # a desktop without it looks by itself
    update-desktop-database -q "$share/applications" 2>/dev/null || :
fi
touch -- "$share/icons/hicolor" # a cache of icons older than this is read no more

echo "Limner is installed: it is in the menu, and here: $prefix/bin/limner"
echo "To remove it: $program/uninstall.sh"
