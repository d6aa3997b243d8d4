#!/bin/sh
# Removes what install.sh installed. Models, settings and history stay, unless: uninstall.sh --with-data
set -eu

program=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ ! -f "$program/installed-under" ] || [ ! -x "$program/limner" ]; then
    echo "uninstall.sh: run the one in the folder where Limner is installed (usually ~/.local/lib/limner/uninstall.sh)" >&2
    exit 2
fi
case ${1:-} in
'' | --with-data) ;;
*)
    echo "uninstall.sh: the only option is --with-data, which deletes models, settings and history too" >&2
    exit 2
    ;;
esac
{ read -r prefix && read -r share; } <"$program/installed-under"
data=${XDG_DATA_HOME:-$HOME/.local/share}/limner

rm -f -- "$prefix/bin/limner" "$share/applications/limner.desktop" "$share/man/man1/limner.1.gz" \
    "$share/metainfo/io.github.limner.Limner.metainfo.xml" "$share/icons/hicolor/scalable/apps/limner.svg"
for side in 16 24 32 48 64 128 256 512; do
    rm -f -- "$share/icons/hicolor/${side}x$side/apps/limner.png"
done
if command -v update-desktop-database >/dev/null 2>&1; then
    update-desktop-database -q "$share/applications" 2>/dev/null || :
fi

if [ "${1:-}" = --with-data ]; then
    rm -rf -- "$program" "$data"
    echo "Limner is removed, and so are $data and everything in it."
elif [ -e "$program/limner-data" ]; then
    find "$program" -mindepth 1 -maxdepth 1 ! -name limner-data ! -name limner-portable -exec rm -rf -- {} +
    echo "Limner is removed. Your models, settings and history are still in $program/limner-data."
else
    rm -rf -- "$program"
    echo "Limner is removed. Your models, settings and history are still in $data."
fi
