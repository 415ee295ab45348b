//! Real listeners of the mock Edge on 5269 and 5061, and the probes that test them.
