# Asks PowerShell the questions of the golden files again:  parity.ps1 GOLDENS ANSWERS
# Each GOLDENS\NAME.jsonl gives ANSWERS\NAME.jsonl, an answer a line in the same order. GOLDENS\NAME.ps1, where there is one, comes first.
param([string]$Goldens, [string]$Answers)
$ErrorActionPreference = 'Continue'
$ErrorView = 'NormalView'

function Answer($ps, [string]$script, [bool]$formatted) {
    $ps.Commands.Clear(); $ps.Streams.ClearStreams()
    if ($formatted) { $null = $ps.AddScript("& { $script } | Out-String -Width 80") } else { $null = $ps.AddScript($script) }
    $thrown = $null
    try { $found = @($ps.Invoke()) } catch {
        # `Invoke` wraps what was thrown.
        $thrown = $_.Exception
        if ($thrown -is [System.Management.Automation.MethodInvocationException] -and $thrown.InnerException) { $thrown = $thrown.InnerException }
        while ($thrown -and -not $thrown.ErrorRecord) { $thrown = $thrown.InnerException }
        $found = @()
    }
    $record = if ($thrown) { $thrown.ErrorRecord } elseif ($ps.Streams.Error.Count) { $ps.Streams.Error[0] }
    if ($record) {
        return [ordered]@{ script = $script; error = $record.Exception.Message; id = $record.FullyQualifiedErrorId
            category = "$($record.CategoryInfo.Category)"; exception = $record.Exception.GetType().FullName }
    }
    if ($formatted) { return [ordered]@{ script = $script; text = -join $found } }
    $types = @($found | ForEach-Object { if ($null -eq $_) { 'null' } else { $_.GetType().FullName } })
    $values = @($found | ForEach-Object { "$_" })
    [ordered]@{ script = $script; types = $types; values = $values }
}

foreach ($file in Get-ChildItem $Goldens -Filter *.jsonl) {
    $ps = [powershell]::Create()
    $before = Join-Path $Goldens ($file.BaseName + '.ps1')
    if (Test-Path $before) { $null = $ps.AddScript([System.IO.File]::ReadAllText($before)).Invoke() }
    $lines = foreach ($line in [System.IO.File]::ReadAllLines($file.FullName)) {
        if (-not $line) { continue }
        $case = ConvertFrom-Json $line
        ConvertTo-Json -Compress -Depth 5 (Answer $ps $case.script ($file.BaseName -eq 'formatting'))
    }
    [System.IO.File]::WriteAllLines((Join-Path $Answers $file.Name), [string[]]$lines)
    $ps.Dispose()
}
