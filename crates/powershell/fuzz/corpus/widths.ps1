[pscustomobject]@{ a = 1 } | Format-Table @{ n = 'a'; e = { 1 }; width = 2147483647 } | Out-String -Width 2147483647
