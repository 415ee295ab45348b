function Move-Thing { [CmdletBinding(SupportsShouldProcess,DefaultParameterSetName='Identity')] param(
 [Parameter(Mandatory,Position=0,ValueFromPipeline,ValueFromPipelineByPropertyName,ParameterSetName='Identity')][string]$Identity,
 [Parameter(Mandatory,ParameterSetName='Pool')][string]$PoolFqdn,
 [Parameter(Position=1)][Alias('tgt')][string]$Target,
 [switch]$Force,[switch]$Foreground,[int]$Count,[timespan]$Timeout,[guid]$Tenant,[System.DayOfWeek]$Day,[uint16]$Port,[bool]$Enabled,
 [string[]]$Names,[datetime]$When,[scriptblock]$Script,[hashtable]$Table
 ) process {
 $o = foreach ($k in ($PSBoundParameters.Keys | Sort-Object)) { $v=$PSBoundParameters[$k]; "$k=" + ($v -join ',') }
 $PSCmdlet.ParameterSetName + ': ' + ($o -join '; ') } }
function Two-Sets { [CmdletBinding()] param([Parameter(ParameterSetName='A',Mandatory)]$A,[Parameter(ParameterSetName='B',Mandatory)]$B,[Parameter(ParameterSetName='A')]$OnlyA) $PSCmdlet.ParameterSetName }
function Rest-Of { [CmdletBinding()] param([Parameter(Position=0)]$First,[Parameter(ValueFromRemainingArguments)][object[]]$Rest) "$First / " + ($Rest -join ',') }
function Pipe-It { [CmdletBinding()] param([Parameter(ValueFromPipeline)][int]$Number,[Parameter(ValueFromPipelineByPropertyName)][Alias('Fqdn')][string]$Pool) process { "n=$Number p=$Pool" } }
function Posi { [CmdletBinding(DefaultParameterSetName='T')] param([Parameter(Position=0,ParameterSetName='N')][int]$N,[Parameter(Position=0,ParameterSetName='T')][string]$T) $PSCmdlet.ParameterSetName }
