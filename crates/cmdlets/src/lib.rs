//! The SkypeForBusiness and DnsServer modules over the fabric: signatures, binding and output objects.
