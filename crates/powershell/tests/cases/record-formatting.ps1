# Records the text that PowerShell shows for the cases of a folder at a width of 80:  record-formatting.ps1 FOLDER
# The form of the files is that of record.ps1; the expectation is the text without blank lines and without blanks at the ends of
# lines. Cases whose name ends in [5.1] show where Windows PowerShell 5.1 differs from 7: their expectation is written by hand.
param([string]$Folder)

foreach ($file in Get-ChildItem $Folder -Filter *.txt) {
    $out = [System.Collections.Generic.List[string]]::new()
    $lines = [System.IO.File]::ReadAllLines($file.FullName)
    $i = 0
    while ($i -lt $lines.Count -and -not $lines[$i].StartsWith('==== ')) { $out.Add($lines[$i]); $i++ }
    while ($i -lt $lines.Count) {
        $head = $lines[$i]; $i++
        $code = @(); $old = @(); $seen = $false
        while ($i -lt $lines.Count -and -not $lines[$i].StartsWith('==== ')) {
            if (-not $seen -and $lines[$i] -eq '----') { $seen = $true } elseif ($seen) { $old += $lines[$i] } else { $code += $lines[$i] }
            $i++
        }
        $out.Add($head); foreach ($l in $code) { $out.Add($l) }; $out.Add('----')
        if ($head.EndsWith('[5.1]')) { foreach ($l in $old) { $out.Add($l) }; continue }
        $ps = [powershell]::Create()
        $null = $ps.AddScript("`$PSStyle.OutputRendering = 'PlainText'; & { $($code -join "`n") } | Out-String -Width 80")
        foreach ($l in (($ps.Invoke() -join '') -split "`r?`n")) { if ($l.Trim()) { $out.Add($l.TrimEnd().Replace([string][char]0x2026, '...')) } }
        $ps.Dispose()
    }
    [System.IO.File]::WriteAllLines($file.FullName, $out)
    "$($file.Name): $($out.Count) lines"
}
