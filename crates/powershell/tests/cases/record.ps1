# Records what PowerShell itself does with the cases of this folder:  record.ps1 FOLDER
# A case is a line "==== name", the script, a line "----", and the expected streams, one record a line.
# `@file PATH [#encoding]` up to `@end` before the script is a file that exists while it runs; encodings: utf8 (the default),
# utf8bom, utf16, windows-1252; `crlf` behind it makes its line ends so.
# Cases whose name ends in [5.1] show where Windows PowerShell 5.1 differs from 7: their expectation is written by hand, and left alone.
param([string]$Folder)

function Show($o) {
    if ($null -eq $o) { return '<null>' }
    if ($o -is [System.Management.Automation.ErrorRecord]) { return 'ERROR: ' + (Fault $o) }
    if ($o -is [System.Management.Automation.WarningRecord]) { return "WARNING: $($o.Message)" }
    if ($o -is [System.Management.Automation.VerboseRecord]) { return "VERBOSE: $($o.Message)" }
    if ($o -is [System.Management.Automation.DebugRecord]) { return "DEBUG: $($o.Message)" }
    if ($o -is [System.Management.Automation.InformationRecord]) { return "HOST: $($o.MessageData)" }
    return '[' + $o.GetType().Name + '] ' + (Text $o)
}
# What 5.1 says of an unknown command.
function Old-Words($m) {
    $m -replace "is not recognized as a name of a cmdlet, function, script file, or executable program\.\r?\nCheck",
        'is not recognized as the name of a cmdlet, function, script file, or operable program. Check'
}
# 5.1 does not quote the text that is no number; a syntax error's message starts with the place.
function Fault($e) {
    $m = $e.Exception.Message -replace "The input string '[^']*' was not in a correct format\.", 'Input string was not in a correct format.'
    $m = Old-Words $m
    if ($e.CategoryInfo.Category -eq 'ParserError') { $m = $m.Split("`n")[-1] }
    $e.FullyQualifiedErrorId + ' | ' + $e.CategoryInfo.Category + ' | ' + $m.Replace("`r", '').Replace("`n", '\n')
}
function Text($o) {
    if ($null -eq $o) { return '<null>' }
    if ($o -is [System.Collections.IDictionary]) { return '@{' + ((@($o.Keys) | ForEach-Object { "$_=" + (Text $o[$_]) }) -join '; ') + '}' }
    if ($o -is [array] -or $o -is [System.Collections.IList]) { return '(' + ((@($o) | ForEach-Object { Text $_ }) -join ', ') + ')' }
    return ("$o" -replace "The input string '[^']*' was not in a correct format\.", 'Input string was not in a correct format.').Replace("`r", '\r').Replace("`n", '\n').Replace("`t", '\t')
}

function Write-Files($lines) {
    Remove-Item C:\fd -Recurse -Force -ErrorAction SilentlyContinue
    $script = @(); $path = $null; $content = @()
    foreach ($l in $lines) {
        if ($l.StartsWith('@file ')) { $path, $options = $l.Substring(6) -split ' #', 2; $options = "$options".Split(' '); $content = @() }
        elseif ($path -and $l -eq '@end') {
            $null = New-Item -ItemType Directory -Force (Split-Path $path)
            $encoding = switch ("$($options | Where-Object { $_ -ne 'crlf' })") {
                'utf8bom' { [System.Text.UTF8Encoding]::new($true) } 'utf16' { [System.Text.Encoding]::Unicode }
                'windows-1252' { [System.Text.Encoding]::Latin1 } default { [System.Text.UTF8Encoding]::new($false) }
            }
            $end = if ($options -contains 'crlf') { "`r`n" } else { "`n" }
            [System.IO.File]::WriteAllText($path, ($content -join $end) + $end, $encoding)
            $path = $null
        }
        elseif ($path) { $content += $l } else { $script += $l }
    }
    , $script
}

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
        $script = Write-Files $code
        $ps = [powershell]::Create()
        $null = $ps.AddScript($script -join "`n")
        $ps.Commands.Commands[0].MergeMyResults([System.Management.Automation.Runspaces.PipelineResultTypes]::All, [System.Management.Automation.Runspaces.PipelineResultTypes]::Output)
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $thrown = $null
        try { $ps.Invoke($null, $output) } catch {
            $thrown = $_.Exception
            while ($thrown.InnerException -and -not $thrown.ErrorRecord) { $thrown = $thrown.InnerException }
            if ($_.Exception.InnerException) { $thrown = $_.Exception.InnerException }
        }
        foreach ($o in $output) {
            $value = if ($null -eq $o) { $null } else { $o.PSObject.BaseObject }
            if ($value -is [System.Management.Automation.PSCustomObject]) { $out.Add('[PSCustomObject] ' + "$o") } else { $out.Add((Show $value)) }
        }
        if ($thrown) { $out.Add('THROW: ' + $(if ($thrown.ErrorRecord) { Fault $thrown.ErrorRecord } else { $thrown.Message })) }
        $ps.Dispose()
    }
    [System.IO.File]::WriteAllLines($file.FullName, $out)
    "$($file.Name): $($out.Count) lines"
}
