$o = [pscustomobject]@{}; $o | Add-Member AliasProperty a b; $o | Add-Member AliasProperty b a; $o.a
