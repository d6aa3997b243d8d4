#!/bin/sh
# Limner.app as a disk image, signed and notarised where the means for that are given: make_dmg.sh BUILD VERSION
#
#   LIMNER_SIGN_AS        the identity, such as "Developer ID Application: Name (TEAM)"; build.py has signed the
#                         application with it while it froze it. Unset: nothing is signed, and macOS asks on first start.
#   LIMNER_NOTARY_PROFILE a keychain profile made by "xcrun notarytool store-credentials"; unset: not notarised.
set -eu

build=${1:?name the build folder}
version=${2:?name the version}
app=$build/dist/Limner.app
image=$build/dist/limner-$version-metal-macos-$(uname -m).dmg
stage=$build/dmg

[ -d "$app" ] || {
    echo "make_dmg.sh: $app is not there; run “make bundle” first." >&2
    exit 2
}

if [ -n "${LIMNER_SIGN_AS:-}" ]; then
    codesign --verify --deep --strict "$app"
fi

rm -rf "$stage" "$image"
mkdir -p "$stage"
ditto "$app" "$stage/Limner.app" # keeps links and signatures
ln -s /Applications "$stage/Applications"
hdiutil create -volname "Limner $version" -srcfolder "$stage" -fs HFS+ -format ULFO -ov "$image"
rm -rf "$stage"

if [ -n "${LIMNER_SIGN_AS:-}" ]; then
    codesign --sign "$LIMNER_SIGN_AS" --timestamp "$image"
    if [ -n "${LIMNER_NOTARY_PROFILE:-}" ]; then
        xcrun notarytool submit "$image" --keychain-profile "$LIMNER_NOTARY_PROFILE" --wait
        xcrun stapler staple "$image"
    fi
fi
echo "make_dmg.sh: $image is ready"
