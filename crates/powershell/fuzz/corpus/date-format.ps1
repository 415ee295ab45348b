(Get-Date).ToString('y' * 70000)
