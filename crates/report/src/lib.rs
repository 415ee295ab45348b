//! Console, JSON Lines and JUnit reports from one event log.
