; Inno Setup 6: the frozen program as an installer for Windows.
;   iscc /DVersion=0.1.0 /DEdition=cpu /DBundle=C:\path\to\build\bundle packaging\windows\limner.iss
; It writes dist\limner-VERSION-EDITION-windows-x64-setup.exe below Bundle; the edition for CUDA is too large for one file
; and comes with .bin files that must lie beside it.

#ifndef Version
  #error Name the version: /DVersion=0.1.0
#endif
#ifndef Edition
  #define Edition "cpu"
#endif
#ifndef Bundle
  #define Bundle SourcePath + "..\..\build\bundle"
#endif

[Setup]
AppId={{5C0B5A53-6D0E-4B52-9A6B-0D3B2F1C7E41}
AppName=Limner
AppVersion={#Version}
AppVerName=Limner {#Version}
AppPublisher=The Limner project
VersionInfoVersion={#Version}
DefaultDirName={autopf}\Limner
DefaultGroupName=Limner
DisableProgramGroupPage=yes
; for the person alone, without an administrator; a choice on the first page offers everybody
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile={#Bundle}\dist\limner\_internal\LICENSE
SetupIconFile={#Bundle}\limner.ico
UninstallDisplayIcon={app}\limner-studio.exe
OutputDir={#Bundle}\dist
OutputBaseFilename=limner-{#Version}-{#Edition}-windows-x64-setup
Compression=lzma2/max
SolidCompression=yes
LZMANumBlockThreads=2
ChangesAssociations=yes
CloseApplications=yes
RestartApplications=no
WizardStyle=modern
#if Edition == "cuda"
; a release takes files of up to 2 GiB
DiskSpanning=yes
DiskSliceSize=1900000000
SlicesPerDisk=1
#endif

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; GroupDescription: "{cm:AdditionalIcons}"; Flags: unchecked
Name: "openwith"; Description: "Offer Limner under Open with, for pictures"; GroupDescription: "Files:"

; A library that a newer version no longer has must not stay beside it. What a portable Limner keeps is not in there.
[InstallDelete]
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Bundle}\dist\limner\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\Limner"; Filename: "{app}\limner-studio.exe"
Name: "{autodesktop}\Limner"; Filename: "{app}\limner-studio.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "Software\Classes\Limner.Picture"; ValueType: string; ValueData: "Picture"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Limner.Picture\shell\open\command"; ValueType: string; ValueData: """{app}\limner-studio.exe"" ""%1"""; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.png\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.jpg\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.jpeg\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.webp\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.tif\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.tiff\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.bmp\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\.ora\OpenWithProgids"; ValueType: string; ValueName: "Limner.Picture"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith

[Run]
Filename: "{app}\limner-studio.exe"; Description: "{cm:LaunchProgram,Limner}"; Flags: nowait postinstall skipifsilent

[Code]
procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Data: String;
begin
  if Step <> usPostUninstall then
    exit;
  Data := ExpandConstant('{localappdata}\limner');
  { kept unless asked for; a silent uninstall asks nothing and keeps it }
  if DirExists(Data) and not UninstallSilent then
    if MsgBox('Delete models, settings and history too?' + #13#10 + Data, mbConfirmation, MB_YESNO or MB_DEFBUTTON2) = IDYES then
      DelTree(Data, True, True, True);
end;
