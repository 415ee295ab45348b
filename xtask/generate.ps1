# Answers generated scripts:  generate.ps1 PRELUDE QUESTIONS ANSWERS
# Each line of QUESTIONS is an object with a script; each line of ANSWERS gives the objects that it wrote (type and text) and the ids of
# its errors. Every script runs after the prelude, in a scope of its own.
param([string]$Prelude, [string]$Questions, [string]$Answers)
$before = [System.IO.File]::ReadAllText($Prelude)

function Kind($o) { if ($null -eq $o) { 'null' } else { $o.GetType().Name } }
function Text($o) {
    if ($o -is [System.Collections.IDictionary]) {
        $entries = [string[]]@($o.GetEnumerator() | ForEach-Object { "$($_.Key)=$($_.Value)" })
        [array]::Sort($entries, [System.StringComparer]::Ordinal)
        return $entries -join ';'
    }
    "$o"
}

$ps = [powershell]::Create()
$lines = foreach ($line in [System.IO.File]::ReadAllLines($Questions)) {
    if (-not $line) { continue }
    $script = (ConvertFrom-Json $line).script
    $ps.Commands.Clear(); $ps.Streams.ClearStreams()
    $null = $ps.AddScript("Remove-Variable x, v, t, Matches -ErrorAction SilentlyContinue; $before", $false).Invoke()
    $ps.Commands.Clear(); $ps.Streams.ClearStreams()
    $null = $ps.AddScript($script)
    $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
    $thrown = $null
    try { $ps.Invoke($null, $output) } catch {
        $thrown = $_.Exception
        if ($thrown -is [System.Management.Automation.MethodInvocationException] -and $thrown.InnerException) { $thrown = $thrown.InnerException }
        while ($thrown -and -not $thrown.ErrorRecord) { $thrown = $thrown.InnerException }
    }
    $found = @(foreach ($o in $output) {
            if ($null -eq $o) { 'null ' } else { $base = $o.PSObject.BaseObject; "$(Kind $base) $(Text $base)" }
        })
    $found += @(foreach ($e in $ps.Streams.Error) { "ERROR $($e.FullyQualifiedErrorId)" })
    if ($thrown) { $found += "ERROR $($thrown.ErrorRecord.FullyQualifiedErrorId)" }
    ConvertTo-Json -Compress -Depth 3 @{ found = [string[]]$found }
}
[System.IO.File]::WriteAllLines($Answers, [string[]]$lines)
