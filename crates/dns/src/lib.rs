//! A real DNS server over the fabric's zones, and partners' resolvers whose caches live in virtual time.
