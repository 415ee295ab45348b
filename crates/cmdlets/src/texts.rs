//! Strings that the commands themselves print, each with its evidence. What the model refuses or reports carries its
//! own text from the fabric.

use firedrill_fabric::Evidence;

/// One string of the commands; `{0}`, `{1}` … are places for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Stable name, `COMPLETED`.
    pub name: &'static str,
    /// How sure we are of the wording.
    pub evidence: Evidence,
    /// Where it comes from.
    pub citation: &'static str,
    /// The string.
    pub template: &'static str,
}

macro_rules! texts {
    ($($name:ident = $class:ident, $citation:literal, $template:literal;)*) => {
        /// Wording of the commands.
        pub(crate) mod text {
            use super::{Evidence, Text};
            $(
                #[doc = $template]
                pub(crate) const $name: Text =
                    Text { name: stringify!($name), evidence: Evidence::$class, citation: $citation, template: $template };
            )*
        }

        /// All strings of the commands, in order of the table.
        pub const TEXTS: &[Text] = &[$(text::$name),*];
    };
}

texts! {
    COMPLETED = Documented, "dossier H, house style of the deployment cmdlets",
        "\"{0}\" processing has completed successfully.";
    COMPLETED_WITH_WARNINGS = Documented, "dossier H",
        "\"{0}\" processing has completed with warnings. \"{1}\" warnings were recorded during this run.";
    FAILED = Documented, "dossier H",
        "{0} failed.";
    EXECUTION_FAILED = Documented, "dossier H",
        "Command execution failed: {0}";
    DETAILED_RESULTS = Documented, "dossier H",
        "Detailed results can be found at \"{0}\".";
    USER_NOT_FOUND = Field, "quoted by several forum posts for the user cmdlets",
        "Management object not found for identity \"{0}\".";
    TEST_DATABASE_ERRORS = Documented, "dossier E.4",
        "Test-CsDatabase encountered errors. Consult the log file for a detailed analysis, and to make sure that all errors ({0}) and warnings ({1}) are addressed before continuing.";
    REGISTER_STARTED = Documented, "dossier J, sample of Test-CsRegistration",
        "'Register' activity started.";
    SENDING_REGISTRATION = Documented, "dossier J",
        "Sending Registration request:";
    TARGET_FQDN = Documented, "dossier J",
        "Target Fqdn = {0}";
    USER_SIP_ADDRESS = Documented, "dossier J",
        "User Sip Address = sip:{0}";
    REGISTRAR_PORT = Documented, "dossier J",
        "Registrar Port = {0}.";
    AUTH_TYPE = Documented, "dossier J",
        "Auth Type '{0}' is selected.";
    NO_TEST_USER = Documented, "dossier J",
        "There is no test user assigned for [{0}]. Verify test user configuration.";
    NO_CLUSTER = Documented, "dossier J",
        "Failed to read Registrar port number for the given fully qualified domain name (FQDN). Using default Registrar port number. Exception: System.InvalidOperationException: No matching cluster found in topology.";
    NOT_FOUND_404 = Documented, "dossier J, registration of a user that does not exist",
        "404, Not Found";
    NOT_FOUND_DIAGNOSIS = Documented, "dossier J, its diagnosis",
        "ErrorCode=1003,source={0},Reason=User does not exist";
    TIMEOUT_504 = Documented, "dossier J",
        "504, Server time-out";
    TIMEOUT_DIAGNOSIS = Documented, "dossier J",
        "ErrorCode=2, Source={0},Reason=See response code and reason phrase.";
    FORBIDDEN_403 = Documented, "dossier J",
        "403, Forbidden";
    NO_ANSWER_10060 = Documented, "dossier J, a pool that does not answer; the sample prints an address where we print the name",
        "10060, A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond {0}:{1}";
    NO_PRIMARIES = Documented, "dossier B.9",
        "Service: (P) fabric:/lync/routing/{0} has no primaries.";
    FEW_SECONDARIES = Documented, "dossier B.9",
        "Service: (P) fabric:/lync/routing/{0} has insufficient secondary replicas (Expected: 2, Current: {1})";
    DNS_NAME_MISSING = Field, "Windows, Resolve-DnsName on NXDOMAIN",
        "{0} : DNS name does not exist";
    DNS_TIMEOUT = Field, "Windows, Resolve-DnsName without an answer",
        "{0} : This operation returned because the timeout period expired";
    TCP_CONNECT_FAILED = Field, "Windows, Test-NetConnection",
        "TCP connect to ({0} : {1}) failed";
    NAME_RESOLUTION_FAILED = Field, "Windows, Test-NetConnection",
        "Name resolution of {0} failed";
    DNS_RECORD_MISSING = Field, "Windows, DnsServer module on an unknown record",
        "Failed to get {0} record in {1} zone on {2} server.";
    DNS_ZONE_MISSING = Field, "Windows, DnsServer module on an unknown zone",
        "The zone {0} was not found on server {1}.";
    DNS_SERVER_DOWN = Field, "Windows, DnsServer module when the server does not answer",
        "Failed to get the zone information for {0} on server {1}.";
    DNS_RECORD_EXISTS = Field, "Windows, DnsServer module on a record that exists already",
        "Failed to create resource record {0} in zone {1} on server {2}.";
    OBJECT_NOT_FOUND = Invented, "no source prints it",
        "Cannot find {0} \"{1}\" in the topology.";
    NOT_A_POOL = Invented, "no source prints it",
        "\"{0}\" is not a Front End pool of this topology.";
    WINRM_NAME = Documented, "Windows: about_Remote_Troubleshooting",
        "[{0}] Connecting to remote server {0} failed with the following error message : The WinRM client cannot process the request because the server name cannot be resolved. For more information, see the about_Remote_Troubleshooting Help topic.";
    WINRM_TIMEOUT = Documented, "Windows: about_Remote_Troubleshooting",
        "[{0}] Connecting to remote server {0} failed with the following error message : WinRM cannot complete the operation. Verify that the specified computer name is valid, that the computer is accessible over the network, and that a firewall exception for the WinRM service is enabled and allows access from this computer. By default, the WinRM firewall exception for public profiles limits access to remote computers within the same local subnet. For more information, see the about_Remote_Troubleshooting Help topic.";
    NO_SERVICE_NAMED = Documented, "Windows PowerShell 5.1, Get-Service",
        "Cannot find any service with service name '{0}'.";
    NO_SERVICE_DISPLAYED = Documented, "Windows PowerShell 5.1, Get-Service",
        "Cannot find any service with display name '{0}'.";
    SERVICE_MANAGER_UNREACHABLE = Documented, ".NET, ServiceController",
        "Cannot open Service Control Manager on computer '{0}'. This operation might require other privileges.";
    SERVICE_NOT_STARTED = Documented, "Windows PowerShell 5.1, Start-Service",
        "Failed to start service '{0}'.";
    SERVICE_NOT_STOPPED = Documented, "Windows PowerShell 5.1, Stop-Service",
        "Failed to stop service '{0}'.";
    SERVICE_HAS_DEPENDENTS = Documented, "Windows PowerShell 5.1, Stop-Service",
        "Cannot stop service '{0}' because it has dependent services. It can only be stopped if the Force flag is set.";
    WAITING_FOR_START = Documented, "Windows PowerShell 5.1, Start-Service",
        "Waiting for service '{0}' to start...";
    RESTART_FAILED = Documented, "Windows PowerShell 5.1, Restart-Computer",
        "Failed to restart the computer {0} with the following error message: The RPC server is unavailable. (Exception from HRESULT: 0x800706BA).";
    STOP_COMPUTER_FAILED = Documented, "Windows PowerShell 5.1, Stop-Computer",
        "This command cannot be run on target computer('{0}') due to following error: The RPC server is unavailable. (Exception from HRESULT: 0x800706BA).";
    RESTART_TIMEOUT = Documented, "Windows PowerShell 5.1, Restart-Computer -Wait -Timeout",
        "Failed to restart the computer {0} with the following error message: The computer did not finish restarting within the specified time-out period.";
    PING_NO_HOST = Documented, "Windows PowerShell 5.1, Test-Connection",
        "Testing connection to computer '{0}' failed: No such host is known";
    PING_NO_ANSWER = Field, "Windows PowerShell 5.1, Test-Connection on a host that is off, quoted by many forum posts",
        "Testing connection to computer '{0}' failed: Error due to lack of resources";
    PROCESSES_UNREACHABLE = Documented, ".NET, Process.GetProcesses",
        "Couldn't connect to remote machine.";
    NO_PROCESS = Documented, "Windows PowerShell 5.1, Get-Process",
        "Cannot find a process with the name \"{0}\". Verify the process name and call the cmdlet again.";
    NO_NETWORK_PATH = Documented, "Windows, error 53",
        "The network path was not found.";
    NO_EVENT_LOG = Documented, "Windows PowerShell 5.1, Get-EventLog",
        "The event log '{0}' on computer '{1}' does not exist.";
    NO_MATCHES = Documented, "Windows PowerShell 5.1, Get-EventLog",
        "No matches found";
    NO_WIN_EVENT_LOG = Documented, "Windows PowerShell 5.1, Get-WinEvent",
        "There is not an event log on the {0} computer that matches \"{1}\".";
    NO_EVENTS_FOUND = Documented, "Windows PowerShell 5.1, Get-WinEvent",
        "No events were found that match the specified selection criteria.";
    WMI_INVALID_CLASS = Documented, "Windows PowerShell 5.1, Get-WmiObject",
        "Invalid class \"{0}\"";
    CIM_INVALID_CLASS = Documented, "Windows PowerShell 5.1, Get-CimInstance",
        "Invalid class ";
    WMI_INVALID_QUERY = Documented, "Windows PowerShell 5.1, Get-WmiObject",
        "Invalid query \"{0}\"";
    RPC_UNAVAILABLE = Documented, "Windows, error 1722 as WMI reports it",
        "The RPC server is unavailable. (Exception from HRESULT: 0x800706BA)";
    AD_NO_SERVER = Documented, "ActiveDirectory module, no domain controller answers",
        "Unable to find a default server with Active Directory Web Services running.";
    AD_SERVER_DOWN = Documented, "ActiveDirectory module, -Server",
        "Unable to contact the server. This may be because this server does not exist, it is currently down, or it does not have the Active Directory Web Services running.";
    AD_NOT_FOUND = Documented, "ActiveDirectory module",
        "Cannot find an object with identity: '{0}' under: '{1}'.";
    AD_BAD_FILTER = Documented, "ActiveDirectory module",
        "Error parsing query: '{0}' Error Message: '{1}' at position: '1'.";
    SQL_UNREACHABLE = Documented, "SQL Server client, error 53 and 26",
        "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server was not found or was not accessible. Verify that the instance name is correct and that SQL Server is configured to allow remote connections. (provider: Named Pipes Provider, error: 40 - Could not open a connection to SQL Server)";
    SQL_NO_DATABASE = Documented, "SQL Server, error 4060",
        "Cannot open database \"{0}\" requested by the login. The login failed.\r\nLogin failed for user '{1}\\Administrator'.";
    NOT_A_COMPUTER = Invented, "no source prints it",
        "\"{0}\" is not a computer of this topology.";
    NOT_A_SERVICE = Invented, "no source prints it",
        "Cannot find service \"{0}\" on computer \"{1}\". It is not a service of this product, or it is not installed there.";
    BAD_FILTER = Invented, "no source prints it",
        "The filter \"{0}\" is not valid: {1}";
    FILE_MISSING = Inferred, "the text of .NET",
        "Could not find file '{0}'.";
    FILE_EXISTS = Inferred, "the text of .NET",
        "The file '{0}' already exists.";
    FILE_NOT_EXPORT = Invented, "no source prints it",
        "The file '{0}' is not an export of {1}: {2}.";
    INTERVAL_RANGE = Invented, "no source prints it",
        "The value {0} of {1} is outside of the allowed range ({2} to {3}).";
    NEEDS_BACKUP_REGISTRAR = Invented, "no source prints it",
        "{0} cannot be set: the Registrar \"{1}\" has no backup Registrar. Specify -BackupRegistrar.";
    BACKUP_GOALS = Invented, "PS:Backup-CsPool states the rule, no source prints the text",
        "The FullBackup and SteadyState parameters cannot be used together.";
    BACKUP_NEEDS_FULL = Invented, "dossier A.5 states the rule, no source prints the text",
        "The FailedOverPoolOnly parameter needs the FullBackup parameter.";
    REPLICA_SERVICE_STOPPED = Invented, "dossier H, no source prints it",
        "The service {0} is not running on computer \"{1}\".";
    REPLICA_SERVICE_MISSING = Invented, "dossier H, no source prints it",
        "The service {0} is not installed on computer \"{1}\".";
    PARTNER_EXISTS = Invented, "no source prints it",
        "\"{0}\" already exists.";
    BAD_VALUE = Invented, "no source prints it",
        "\"{0}\" is not a valid value of {1}.";
    LIMIT = Invented, "no source prints it",
        "The run cannot go on: {0}.";
}

/// Fills `{0}`, `{1}` … of a template.
pub(crate) fn fill(text: Text, values: &[&str]) -> String {
    let template = text.template;
    let mut out = String::with_capacity(template.len() + values.iter().map(|v| v.len()).sum::<usize>());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let value = tail.find('}').and_then(|end| Some((tail[1..end].parse::<usize>().ok()?, end)));
        match value {
            Some((index, end)) => {
                out.push_str(values.get(index).copied().unwrap_or_default());
                rest = &tail[end + 1..];
            }
            None => {
                out.push('{');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
