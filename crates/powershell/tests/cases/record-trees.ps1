# Records how PowerShell itself parses the cases of a folder and its subfolders:  record-trees.ps1 FOLDER OUTPUT
# One line for each script: its file and name, the kinds and spans of all nodes of the tree (spans in UTF-16 units, sorted), and the
# syntax errors. `TypeNotFound` is left out: which types exist is not a matter of syntax.
param([string]$Folder, [string]$Output)

function Add-Tree($file, $name, $text) {
    $tokens = $null; $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
    $nodes = foreach ($node in $tree.FindAll({ $true }, $true)) {
        [pscustomobject]@{ Kind = $node.GetType().Name -replace 'Ast$', ''; Start = $node.Extent.StartOffset; End = $node.Extent.EndOffset }
    }
    $nodes = ($nodes | Sort-Object Start, End, Kind | ForEach-Object { "$($_.Kind)@$($_.Start)-$($_.End)" }) -join ' '
    $errors = ($errors | Where-Object ErrorId -ne 'TypeNotFound' | ForEach-Object { "$($_.ErrorId)@$($_.Extent.StartOffset)-$($_.Extent.EndOffset)" }) -join ' '
    $lines.Add((ConvertTo-Json -Compress ([ordered]@{ file = $file; case = $name; nodes = $nodes; errors = $errors })))
}

$Folder = (Resolve-Path $Folder).ProviderPath.TrimEnd('\')
$lines = [System.Collections.Generic.List[string]]::new()
foreach ($file in Get-ChildItem $Folder -Recurse -Filter *.txt) {
    $path = $file.FullName.Substring($Folder.Length + 1).Replace('\', '/')
    $name = $null; $code = @(); $open = $false; $inFile = $false
    foreach ($line in [System.IO.File]::ReadAllLines($file.FullName)) {
        if ($line.StartsWith('==== ')) { $name = $line.Substring(5); $code = @(); $open = $true }
        elseif (-not $open) { }
        elseif ($line -eq '----') { $open = $false; Add-Tree $path $name ($code -join "`n") }
        elseif ($line.StartsWith('@file ')) { $inFile = $true }
        elseif ($inFile) { if ($line -eq '@end') { $inFile = $false } }
        else { $code += $line }
    }
}
foreach ($file in Get-ChildItem $Folder -Filter *.tsv) {
    foreach ($line in [System.IO.File]::ReadAllLines($file.FullName)) {
        if ($line) { Add-Tree $file.Name $line.Split("`t")[0] $line.Split("`t")[0] }
    }
}
[System.IO.File]::WriteAllLines($Output, $lines)
"$($lines.Count) trees"
