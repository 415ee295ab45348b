//! Strings that the commands themselves print, each with its evidence. What the model refuses or reports carries its
//! own text from the fabric.

/// Wording of the cmdlets. `{0}`, `{1}` … are filled by [`fill`].
pub(crate) mod text {
    /// Documented: dossier H, house style of the deployment cmdlets.
    pub(crate) const COMPLETED: &str = "\"{0}\" processing has completed successfully.";
    /// Documented: dossier H.
    pub(crate) const COMPLETED_WITH_WARNINGS: &str =
        "\"{0}\" processing has completed with warnings. \"{1}\" warnings were recorded during this run.";
    /// Documented: dossier H.
    pub(crate) const DETAILED_RESULTS: &str = "Detailed results can be found at \"{0}\".";
    /// Field: quoted by several forum posts for the user cmdlets.
    pub(crate) const USER_NOT_FOUND: &str = "Management object not found for identity \"{0}\".";
    /// Documented: dossier E.4.
    pub(crate) const TEST_DATABASE_ERRORS: &str = "Test-CsDatabase encountered errors. Consult the log file for a detailed analysis, and to make sure that all errors ({0}) and warnings ({1}) are addressed before continuing.";
    /// Documented: dossier J, sample of Test-CsRegistration.
    pub(crate) const REGISTER_STARTED: &str = "'Register' activity started.";
    /// Documented: dossier J.
    pub(crate) const SENDING_REGISTRATION: &str = "Sending Registration request:";
    /// Documented: dossier J.
    pub(crate) const TARGET_FQDN: &str = "Target Fqdn = {0}";
    /// Documented: dossier J.
    pub(crate) const USER_SIP_ADDRESS: &str = "User Sip Address = sip:{0}";
    /// Documented: dossier J.
    pub(crate) const REGISTRAR_PORT: &str = "Registrar Port = {0}.";
    /// Documented: dossier J.
    pub(crate) const AUTH_TYPE: &str = "Auth Type '{0}' is selected.";
    /// Documented: dossier J.
    pub(crate) const NO_TEST_USER: &str = "There is no test user assigned for [{0}]. Verify test user configuration.";
    /// Documented: dossier J.
    pub(crate) const NO_CLUSTER: &str = "Failed to read Registrar port number for the given fully qualified domain name (FQDN). Using default Registrar port number. Exception: System.InvalidOperationException: No matching cluster found in topology.";
    /// Documented: dossier J, registration of a user that does not exist.
    pub(crate) const NOT_FOUND_404: &str = "404, Not Found";
    /// Documented: dossier J, its diagnosis.
    pub(crate) const NOT_FOUND_DIAGNOSIS: &str = "ErrorCode=1003,source={0},Reason=User does not exist";
    /// Documented: dossier J.
    pub(crate) const TIMEOUT_504: &str = "504, Server time-out";
    /// Documented: dossier J.
    pub(crate) const TIMEOUT_DIAGNOSIS: &str = "ErrorCode=2, Source={0},Reason=See response code and reason phrase.";
    /// Documented: dossier J.
    pub(crate) const FORBIDDEN_403: &str = "403, Forbidden";
    /// Documented: dossier J, a pool that does not answer; the sample prints an address where we print the name.
    pub(crate) const NO_ANSWER_10060: &str = "10060, A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond {0}:{1}";
    /// Documented: dossier B.9.
    pub(crate) const NO_PRIMARIES: &str = "Service: (P) fabric:/lync/routing/{0} has no primaries.";
    /// Documented: dossier B.9.
    pub(crate) const FEW_SECONDARIES: &str =
        "Service: (P) fabric:/lync/routing/{0} has insufficient secondary replicas (Expected: 2, Current: {1})";
    /// Documented: Windows, Resolve-DnsName on NXDOMAIN.
    pub(crate) const DNS_NAME_MISSING: &str = "{0} : DNS name does not exist";
    /// Documented: Windows, Resolve-DnsName without an answer.
    pub(crate) const DNS_TIMEOUT: &str = "{0} : This operation returned because the timeout period expired";
    /// Documented: Windows, Test-NetConnection.
    pub(crate) const TCP_CONNECT_FAILED: &str = "TCP connect to ({0} : {1}) failed";
    /// Documented: Windows, Test-NetConnection.
    pub(crate) const NAME_RESOLUTION_FAILED: &str = "Name resolution of {0} failed";
    /// Documented: Windows, DnsServer module on an unknown record.
    pub(crate) const DNS_RECORD_MISSING: &str = "Failed to get {0} record in {1} zone on {2} server.";
    /// Documented: Windows, DnsServer module on an unknown zone.
    pub(crate) const DNS_ZONE_MISSING: &str = "The zone {0} was not found on server {1}.";
    /// Documented: Windows, DnsServer module on a record that exists already.
    pub(crate) const DNS_RECORD_EXISTS: &str = "Failed to create resource record {0} in zone {1} on server {2}.";

    // Invented: no source prints these.
    pub(crate) const OBJECT_NOT_FOUND: &str = "Cannot find {0} \"{1}\" in the topology.";
    pub(crate) const NOT_A_POOL: &str = "\"{0}\" is not a Front End pool of this topology.";
    pub(crate) const NOT_A_COMPUTER: &str = "\"{0}\" is not a computer of this topology.";
    pub(crate) const NOT_A_SERVICE: &str =
        "Cannot find service \"{0}\" on computer \"{1}\". It is not a service of this product, or it is not installed there.";
    pub(crate) const BAD_FILTER: &str = "The filter \"{0}\" is not valid: {1}";
    pub(crate) const FILE_MISSING: &str = "Could not find file '{0}'.";
    pub(crate) const FILE_EXISTS: &str = "The file '{0}' already exists.";
    pub(crate) const FILE_NOT_EXPORT: &str = "The file '{0}' is not an export of {1}: {2}.";
    pub(crate) const INTERVAL_RANGE: &str = "The value {0} of {1} is outside of the allowed range ({2} to {3}).";
    pub(crate) const NEEDS_BACKUP_REGISTRAR: &str =
        "{0} cannot be set: the Registrar \"{1}\" has no backup Registrar. Specify -BackupRegistrar.";
    pub(crate) const PARTNER_EXISTS: &str = "\"{0}\" already exists.";
    pub(crate) const DIRECTORY_DOWN: &str = "Active Directory operation failed. The server is not operational.";
    pub(crate) const BAD_VALUE: &str = "\"{0}\" is not a valid value of {1}.";
    pub(crate) const LIMIT: &str = "The run cannot go on: {0}.";
}

/// Fills `{0}`, `{1}` … of a template.
pub(crate) fn fill(template: &str, values: &[&str]) -> String {
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
