# Asks the genuine PowerShell whether it parses every script of a folder:  parse.ps1 FOLDER LIST
# Each line of LIST: SHA-256, number of errors, name. As Windows PowerShell does, bytes that are not UTF-8 are Windows-1252.
param([string]$Folder, [string]$List)
$strict = [System.Text.UTF8Encoding]::new($false, $true)
[System.Text.Encoding]::RegisterProvider([System.Text.CodePagesEncodingProvider]::Instance)
$root = (Resolve-Path $Folder).ProviderPath
$lines = Get-ChildItem $root -Recurse -Include *.ps1, *.psm1, *.psd1 | ForEach-Object {
    $name = $_.FullName.Substring($root.Length).TrimStart('\', '/').Replace('\', '/')
    $bytes = [System.IO.File]::ReadAllBytes($_.FullName)
    try { $text = $strict.GetString($bytes).TrimStart([char]0xFEFF) } catch { $text = [System.Text.Encoding]::GetEncoding(1252).GetString($bytes) }
    $tokens = $errors = $null
    $null = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
    $hash = [System.BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($bytes)).Replace('-', '').ToLower()
    "$hash $($errors.Count) $name"
    foreach ($e in $errors) { Write-Warning "${name}:$($e.Extent.StartLineNumber): $($e.Message)" }
}
[string[]]$lines = $lines
[System.Array]::Sort($lines, [System.Comparison[string]] { param($a, $b) [string]::CompareOrdinal($a.Substring(67), $b.Substring(67)) })
[System.IO.File]::WriteAllText($List, ($lines -join "`n") + "`n")
